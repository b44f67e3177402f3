"""Reading PDFs the way a verifier must: as chains of revisions, within limits, without repair; and writing single objects.

`document` is the entry; `xref`, `sections`, `heads` and `indirect` find objects, `lexer`, `strings` and `text` read them, `filters` decodes
streams, `fields` and `pages` walk the form and the page tree, `serialize` writes. `objects` says which Python value stands for which PDF
object, `rows` what a cross-reference says of one, and `limits` what all this may cost. `plain` reads dictionaries of the usual spelling
sooner than the lexer, `pieces` finds what is spelled as a reference, and `remembered` keeps what was found in octets that documents share.
"""

__all__ = [
    "document",
    "fields",
    "limits",
    "objects",
    "pages",
]
