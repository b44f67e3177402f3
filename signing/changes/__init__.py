"""What happened to a document after a signature: step 2 of :mod:`signing.verifying.verify`.

    analysis                          each update compared once with the revision before it
    comparison, tiling, lookalike     what differs; no octet unexplained; the same to readers that repair
    role_catalog, role_dss,           what an update may touch, by the roles of objects
    role_form, role_page
    references, leftovers, inert      what is referred to already, what no role claimed, what may not run or hide
    run                               an appearance known by its octets

What is not understood is not permitted.
"""

__all__ = [
    "analysis",
]
