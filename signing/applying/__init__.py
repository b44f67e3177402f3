"""One signature as an incremental update, with its appearance; validation data and archive time stamps.

    sign, two_step                    applying a signature; with a key held elsewhere
    container, gap, writer            its CMS, the room for it, the revision that it comes in
    form, locks                       the field that it fills, and what earlier signatures permit
    appearance, graft                 what it looks like on the page
    dss, archive, renewal             validation data, archive time stamps, and when the next one is due
    authorisation, steps, recheck     what a person agreed to, whose turn it is, and a second look at what was made
    batch                             a class in one run

Nothing is signed that :mod:`signing.inspection` refuses.
"""

__all__ = [
    "appearance",
    "archive",
    "authorisation",
    "batch",
    "container",
    "form",
    "recheck",
    "renewal",
    "sign",
    "steps",
    "two_step",
    "writer",
]
