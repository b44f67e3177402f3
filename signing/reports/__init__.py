"""What is told of one document, and of many.

`summary` counts, `report` writes the rows of a run, `report_html` its page, `report_pdf` what is told of one document.
"""

__all__ = [
    "report",
    "report_pdf",
    "summary",
]
