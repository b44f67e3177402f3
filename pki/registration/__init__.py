"""What a second person approves (`approval`, `policy`), and proof that somebody holds a key (`certification_request`, `ca_request`,
`compromise_proof`).
"""

__all__ = [
    "approval",
    "ca_request",
    "certification_request",
    "compromise_proof",
    "policy",
]
