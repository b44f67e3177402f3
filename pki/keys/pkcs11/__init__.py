"""Keys in a hardware token, by PKCS#11.

    store                 the key store that :mod:`pki.ports` asks for
    token, holder         the house's own keys in a token; what a token holds that somebody else set up
    objects               what a key is in a token, and how it is found
    connection, module    work done on a token, again where it was lost; what belongs to the process

Only `connection`, `holder`, `module`, `objects` and `token` know python-pkcs11.
"""
