"""Whether what signed or stamped can be believed, and at which time: steps 3 to 6 of :mod:`signing.verifying.verify`.

    store, outside_authority     what the caller trusts; what another authority is trusted for
    cms_check, carried           one CMS signature by itself, and the certificates that it carries
    subject                      what a signer's certificate says
    evidence, ground, standing   validation data, and whether a certificate stands on it at a moment
    stamp, times                 one time stamp, and what time stamps prove

Nothing here looks for trust by itself.
"""

__all__ = [
    "outside_authority",
    "store",
    "subject",
]
