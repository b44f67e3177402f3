"""Whether a certificate was revoked at a time.

`judgement` is the numbered list, `inquiry` and `result` its question and answer; `crl_evidence`, `crl_entries` and `ocsp_evidence` read
what was handed in, `crl_check` and `ocsp_check` say what it counts for, `readable` reads each piece once.
"""

__all__ = [
    "judgement",
    "readable",
]
