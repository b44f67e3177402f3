"""From a profile to a certificate, in three moves.

    profile, profile_table             what one kind of certificate says
    urls, generations                  where the authority publishes; which root and issuing authority came when
    tbs, tbs_pattern                   the to-be-signed certificate
    structural, structural_asn1, lint  two opinions on it
    press, issue                       the part that touches no books; prepare, record, issue
    certificate_life, expiry           what becomes of a certificate, and when it ends

Prepare, record, issue: the signed octets are the prepared ones.
"""

__all__ = [
    "certificate_life",
    "expiry",
    "generations",
    "issue",
    "lint",
    "press",
    "profile",
    "tbs",
    "urls",
]
