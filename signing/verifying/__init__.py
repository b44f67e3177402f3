"""The verdict on a document, as a numbered list that fails closed.

    verify                            the list; `signature` has 1 to 6 for one signature
    level                             6: the baseline level that is proven
    manifest, entitlement             7: by whom a record must be signed
    conclude, unreadable              8: the end of a judgement; bytes that cannot be read as a PDF
    engine, engines, own_make         which engine is asked and answers, and where our own list is enough
    opinion, ades                     a second opinion, and pyHanko's
    grant                             what one document may cost
    online                            judging again with what could be fetched

What is demanded is in :mod:`signing.policy`, what comes out in :mod:`signing.verdict`.
"""

__all__ = [
    "engine",
    "engines",
    "entitlement",
    "grant",
    "manifest",
    "online",
    "verify",
]
