"""Refuses keys that others can work out, by name. What the house makes in bulk comes from its own generator and is not asked about.

    refuse_weak_key(public_key)                                  # everything that needs no list
    WeakKeys(blocklist=Blocklist.open(folder))(public_key)       # and the keys known by list: Debian's, published ones

| weakness                | what it means                                                  | where it is asked for           |
| ----------------------- | -------------------------------------------------------------- | ------------------------------- |
| rsa-too-short, -long    | outside 2048-8192 bits                                         | TS 119 312; bounds our own work |
| exponent                | even, below 65537 or from 2^256 on                             | CA/B Forum BR 6.1.6             |
| small-factors           | a prime factor up to 65537, an even modulus included           | CA/B Forum BR 6.1.6             |
| close-primes            | Fermat's method finds the factors in 100 rounds                | CA/B Forum BR 6.1.1.3 (5)       |
| roca                    | made by Infineon's library (CVE-2017-15361)                    | CA/B Forum BR 6.1.1.3 (5)       |
| shared-primes           | a factor that batch gcd found in other public keys             |                                 |
| small-private-exponent  | Wiener's method finds it                                       |                                 |
| zero-pattern            | a modulus of regular zeros, which polynomials factor           |                                 |
| curve                   | none of P-256, P-384, P-521                                    | TS 119 312                      |
| listed                  | on the blocklist: Debian's of 2006-2008, published private keys| CA/B Forum BR 6.1.1.3 (4)       |

The arithmetic is that of the badkeys package (Hanno Böck). Measured: 0.1-0.4 ms for RSA of 2048 to 8192 bits, 1.4 ms where the exponent
is large, 0.4 µs for a key on a curve; importing it takes 50 ms and happens with the first RSA key. A point off its curve is refused by
`cryptography` when it is read. Not looked for: moduli that are themselves prime, or cubes and higher powers of one.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki.errors import KeyStoreError, WeakKeyError
from pki.structures.algorithms import MAX_RSA_BITS, MIN_RSA_BITS, PublicKey

KeyCheck = Callable[[PublicKey], None]
"""Raises :class:`pki.errors.WeakKeyError`."""

MIN_EXPONENT, EXPONENT_LIMIT = 65537, 1 << 256  # CA/Browser Forum Baseline Requirements 6.1.6
CURVES = ("secp256r1", "secp384r1", "secp521r1")

RECORD = 16  # octets: 15 of a SHA-256, and the number of the list that it comes from
_NUMBERS_OF = 15

# cheap ones first: a modulus with a small factor, or the square of a prime, is called by its own name
_CHECKS = {
    "smallfactors": ("small-factors", "its modulus has a prime factor up to 65537"),
    "fermat": ("close-primes", "its two primes are so close that Fermat's method finds them"),
    "roca": ("roca", "it was made by the library of CVE-2017-15361 (ROCA), whose primes can be found"),
    "sharedprimes": ("shared-primes", "its modulus shares a prime with other keys that were published"),
    "smalld": ("small-private-exponent", "its private exponent is so small that Wiener's method finds it"),
    "rsapoly": ("zero-pattern", "its modulus has a pattern of zeros that makes it easy to factor"),
}


class WeakKeys:
    """The check as a value: call it with a public key. Without a blocklist it cannot tell Debian's weak keys (`knows_lists` is False)."""

    def __init__(self, blocklist: Blocklist | None = None) -> None:
        self._blocklist = blocklist

    @property
    def knows_lists(self) -> bool:
        return self._blocklist is not None

    def __call__(self, key: PublicKey) -> None:
        """Raises :class:`pki.errors.WeakKeyError`, whose `weakness` is a name of this module's table."""
        if isinstance(key, rsa.RSAPublicKey):
            _refuse_weak_rsa(key)
        elif not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
            found = key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__
            raise _weak("curve", f"got {found}, expected RSA or one of the curves P-256, P-384, P-521")
        listed = self._blocklist.list_of(key) if self._blocklist is not None else None
        if listed is not None:
            raise _weak("listed", f"it is on the blocklist {listed}; its private key is known or can be guessed")


refuse_weak_key: KeyCheck = WeakKeys()
"""The check without a blocklist."""


@dataclass(frozen=True)
class Blocklist:
    """A blocklist in the format of badkeys: `blocklist.dat`, sorted records, and `badkeysdata.json`, which names the lists by number.

    `badkeys --update-bl` fetches both and checks them against their digests. Read through the page cache, a few pages for each question.
    """

    data: mmap.mmap | bytes
    names: dict[int, str]

    @classmethod
    def open(cls, folder: Path) -> Blocklist:
        """Raises :class:`pki.errors.KeyStoreError` where the files are missing or of another format: a broken list guards nothing."""
        try:
            with (folder / "blocklist.dat").open("rb") as file:
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            described = json.loads((folder / "badkeysdata.json").read_bytes())
            names = {int(each["id"]): str(each["name"]) for each in described["blocklists"]}
        except OSError as exc:
            raise KeyStoreError(
                f"blocklist {folder}: {exc.strerror or type(exc).__name__}; expected blocklist.dat and badkeysdata.json"
            ) from exc
        except (ValueError, KeyError, TypeError) as exc:  # an empty file cannot be mapped either
            raise KeyStoreError(f"blocklist {folder}: not in the format of badkeys ({type(exc).__name__})") from exc
        if len(data) % RECORD or data[:_NUMBERS_OF] > data[-RECORD:-1]:
            raise KeyStoreError(f"blocklist {folder}: blocklist.dat is no sorted list of {RECORD}-octet records")
        return cls(data, names)

    def list_of(self, key: PublicKey) -> str | None:
        """The name of the list that holds the key, which is known by the SHA-256 of its modulus or x coordinate."""
        number = key.public_numbers().n if isinstance(key, rsa.RSAPublicKey) else key.public_numbers().x
        wanted = hashlib.sha256(number.to_bytes((number.bit_length() + 7) // 8, "big")).digest()[:_NUMBERS_OF]
        low, high = 0, len(self.data) // RECORD
        while low < high:
            middle = (low + high) // 2
            if self.data[middle * RECORD : middle * RECORD + _NUMBERS_OF] < wanted:
                low = middle + 1
            else:
                high = middle
        found = self.data[low * RECORD : (low + 1) * RECORD]
        return self.names.get(found[-1], f"number {found[-1]}") if found[:_NUMBERS_OF] == wanted else None


def _refuse_weak_rsa(key: rsa.RSAPublicKey) -> None:
    numbers, bits = key.public_numbers(), key.key_size
    if bits < MIN_RSA_BITS:
        raise _weak("rsa-too-short", f"RSA of {bits} bits, expected at least {MIN_RSA_BITS}")
    if bits > MAX_RSA_BITS:
        raise _weak("rsa-too-long", f"RSA of {bits} bits, expected at most {MAX_RSA_BITS}")
    if numbers.e % 2 == 0 or not MIN_EXPONENT <= numbers.e < EXPONENT_LIMIT:
        raise _weak("exponent", f"its exponent of {numbers.e.bit_length()} bits is not an odd number from {MIN_EXPONENT} to 2^256")
    import badkeys  # here: 50 ms, and most keys are on a curve

    for check, (weakness, text) in _CHECKS.items():
        if badkeys.checkrsa(numbers.n, numbers.e, checks=[check]):
            raise _weak(weakness, text)


def _weak(weakness: str, text: str) -> WeakKeyError:
    return WeakKeyError(weakness, f"weak key ({weakness}): {text}")
