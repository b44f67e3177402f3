"""The signing service: PAdES signatures applied to PDFs and verified (ETSI EN 319 142-1, EN 319 102-1, ISO 32000-2).

    applying/     one signature as an incremental update, with its appearance; validation data, archive time stamps; a class in one run
    inspection/   what is refused before signing
    verifying/    the numbered list that fails closed, and which engine answers; each number has its folder:
      coverage/     1-2  structure, coverage, digests
      changes/      2    what later revisions changed, by the roles of objects
      trust/        3-6  CMS, chain and revocation at a moment, time stamps and what they prove
    bulk/         many documents, in processes that can be killed
    reports/      what is told of one document, and of many
    pdf/          reading PDFs as chains of revisions; writing objects
    fonts/        what records and appearances are set in
    workflow, step, expressible  who signs what, in which order, and what PDF can express of it
    policy, verdict, failure     what is demanded of a document, what comes out, what did not pass
    errors, ports                what goes wrong, what is asked of the outside

Imports among them go one way (pyproject.toml has the order). Each folder lists its public modules in an `__all__` of its own; the others
may change. Importing any of them does nothing.

>>> from signing.workflow import Workflow
>>> seal_alone = {"id": "notice/1", "steps": [{"id": "seal", "role": "school-seal", "field": "Signature-Seal", "seal": True}]}
>>> [step.field for step in Workflow.from_mapping(seal_alone).steps]
['Signature-Seal']
"""

__all__ = [
    "applying",
    "bulk",
    "changes",
    "coverage",
    "errors",
    "fonts",
    "inspection",
    "pdf",
    "policy",
    "ports",
    "reports",
    "trust",
    "verdict",
    "verifying",
    "workflow",
]
