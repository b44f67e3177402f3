"""Roots and issuing authorities, made by several people after a file that was approved.

    plan, table            the file
    order                  what a second person approves of it
    hold, check            what is done; what was done, held against the file
    transcript, review     the record of it; verified again from its own octets
    split                  a secret in m of n shares

`check` shares no code with what makes certificates.
"""

__all__ = [
    "check",
    "hold",
    "order",
    "plan",
    "review",
    "split",
    "transcript",
]
