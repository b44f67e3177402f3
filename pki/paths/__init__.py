"""Certification paths: whom to believe, and at which time.

    chain, chain_errors                      from a certificate to an anchor that the caller named, or why not
    building, validation                     candidate paths; one path validated
    constraints, policies, inherited_key     name spaces, certificate policies, DSA parameters along a path
    key_purpose, anchor_constraints          what a key may be used for; what an anchor is trusted for
    validation_cache                         what does not change, remembered

Revocation is not looked at here: :mod:`pki.revocation` does that.
"""

__all__ = [
    "anchor_constraints",
    "chain",
    "chain_errors",
    "key_purpose",
    "validation_cache",
]
