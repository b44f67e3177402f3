"""Who somebody is, and what a certificate may say of it.

`codes` is the way in to personal identity codes, `schemes` has their countries' rules, `identifiers` their form in names;
`commitment` hides a pupil's code; `subject` is whom a certificate names, `countries` where.
"""

__all__ = [
    "codes",
    "commitment",
    "countries",
    "identifiers",
    "subject",
]
