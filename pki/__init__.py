"""The issuing authority: certificates for teachers, pupils and schools, tied to personal identity codes, and all that proves them.

    identity/               who somebody is, and what a certificate may say of it
    registration/           what a second person approves; proof that somebody holds a key
    issuing/                from a profile to a certificate, in three moves; what becomes of it
    authority/              an authority as a whole: set up, opened, its services' certificates kept fresh
    ceremony/               roots and issuing authorities, made by several people after a file that was approved
    keys/                   where private keys live, and who can open them; which keys get no certificate
    status/                 what an authority answers: lists, OCSP, time stamps
    paths/                  certification paths: whom to believe, and at which time
    revocation/             whether a certificate was revoked at a time
    remote/                 asking others over the network, where that is allowed
    log/                    a tree that shows it was not changed; signed heads of it
    structures/             what is signed and exchanged, declared once and read strictly, for all rooms
    errors, ports, durable  what can go wrong; what is asked of the outside; files that are there whole or not at all

Imports among them go one way (pyproject.toml has the order). Each folder lists its public modules in an `__all__` of its own, and they list
their public names there or have plain ones; the others may change. Importing any of them does nothing.

>>> from datetime import date
>>> from pki.identity.codes import PersonFacts, check
>>> from pki.identity.subject import person
>>> code = check("vn-pid", "001 185 000001", facts=PersonFacts(birth_date=date(1985, 3, 8), sex="female"))
>>> person(country="VN", surname="Trần", given_name="Thị Hoa", identifier=code.semantics_identifier).display
'Trần Thị Hoa'
"""

__all__ = [
    "authority",
    "ceremony",
    "durable",
    "errors",
    "identity",
    "issuing",
    "keys",
    "log",
    "paths",
    "ports",
    "registration",
    "remote",
    "revocation",
    "status",
    "structures",
]
