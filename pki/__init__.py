"""The issuing authority: certificates for teachers, pupils and schools, tied to personal identity codes, and all that proves them.

    names       identity, identifiers, commitment, subject, countries     who somebody is, and what a certificate may say of it
    issuing     profile, establish, issue, tbs, renew, lint, urls         from a profile to a certificate, in three moves
    requests    registration, registration_policy, certification_request  what a second person approves; proof that somebody holds a key
    ceremonies  ceremony, ceremony_plan, ceremony_order, ceremony_check,  roots and issuing authorities, made by several people
                ceremony_review, ceremony_transcript, ca_request, split,
                generations, offline, root_lists
    keys        key_stores, key_store_uri, keystore, softkey, holderkey,  where private keys live, and who can open them
                own_key, pin, kdf, wrap, passphrase
    issued      certificate_life, weak_keys                               what becomes of a certificate; which keys get none
    status      crl, ocsp, timestamp, remote_tsa, evidence                what an authority answers
    judging     certificate, chain, chain_errors, revocation,             whom to believe, and at which time
                algorithm_policy, validation_cache, readable
                lack, online, network                                     what was missing, and fetching it where that is allowed
    the log     merkle, note, checkpoint, log_key                         a tree that shows it was not changed; signed heads of it
    structures  algorithms, cms, tsp, der                                 declared once, for all rooms
                ports, errors, durable                                    what is asked of the outside; what can go wrong

The modules of `__all__` are the package's public face, each with an `__all__` of its own or plain public names; the others may change.
Importing any of them does nothing.

>>> from datetime import date
>>> from pki.identity import PersonFacts, check
>>> from pki.subject import person
>>> code = check("vn-pid", "001 185 000001", facts=PersonFacts(birth_date=date(1985, 3, 8), sex="female"))
>>> person(country="VN", surname="Trần", given_name="Thị Hoa", identifier=code.semantics_identifier).display
'Trần Thị Hoa'
"""

__all__ = [
    "algorithm_policy",
    "algorithms",
    "anchor_constraints",
    "ber",
    "ca_request",
    "ceremony",
    "ceremony_check",
    "ceremony_order",
    "ceremony_plan",
    "ceremony_review",
    "ceremony_transcript",
    "certificate",
    "certificate_life",
    "certification_request",
    "chain",
    "chain_errors",
    "checkpoint",
    "clock_checks",
    "clock_trust",
    "cms",
    "commitment",
    "compromise_proof",
    "countries",
    "crl",
    "der",
    "durable",
    "errors",
    "establish",
    "evidence",
    "expiry",
    "generations",
    "holderkey",
    "identifiers",
    "identity",
    "issue",
    "kdf",
    "key_purpose",
    "key_store_uri",
    "key_stores",
    "keystore",
    "lack",
    "lint",
    "log_key",
    "merkle",
    "network",
    "note",
    "ocsp",
    "ocsp_answer",
    "ocsp_group",
    "ocsp_status",
    "offline",
    "online",
    "own_key",
    "passphrase",
    "pin",
    "ports",
    "press",
    "profile",
    "publication",
    "readable",
    "registration",
    "registration_policy",
    "rekey",
    "relations",
    "remote_tsa",
    "renew",
    "revocation",
    "root_lists",
    "rotation",
    "softkey",
    "split",
    "subject",
    "tbs",
    "timestamp",
    "tsp",
    "urls",
    "validation_cache",
    "weak_keys",
    "wrap",
]
