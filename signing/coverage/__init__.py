"""The signatures of a document as they stand in the file: steps 1 and 2 of :mod:`signing.verifying.verify`.

`structure` finds them, `signature_field` reads one, `byterange` says what it covers, `digests` hashes that, and `mdp` is what it
forbids to happen after it.
"""

__all__ = [
    "structure",
]
