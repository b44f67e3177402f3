"""An authority as a whole: set up, opened, and its services' certificates kept fresh.

    establish, established, self_sign    keys and certificates of a new house; an authority that stands; a root's own certificate
    house, opening                       what an authority has at hand; one that was established, found again
    offline, root_lists                  an authority whose key is elsewhere; revocation lists of roots
    service_keys, renew, rekey,          certificates and keys of the house's own services
    rotation

CA certificates are never renewed by themselves.
"""

__all__ = [
    "establish",
    "offline",
    "rekey",
    "renew",
    "root_lists",
    "rotation",
]
