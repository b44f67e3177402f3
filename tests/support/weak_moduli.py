"""RSA public keys that have a given weakness, built on purpose; and the primes to build them from (fixed seed)."""

from __future__ import annotations

import hashlib
import random
from math import isqrt, prod
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

SEED = 20260905
HALF = 1024  # bits of a prime of RSA-2048
_SMALL = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, isqrt(n) + 1, 2))]
_PRODUCT = prod(_SMALL)

# Nemec et al., "The Return of Coppersmith's Attack" (CCS 2017): p = k * M + (65537^a mod M), M the product of the first primes
ROCA_PRIMES = [2, *_SMALL][:126]  # for RSA-1984 to RSA-3936

# of a certificate in the public logs (crt.sh 5534506057), which shares a prime with others there
SHARED = int(
    "b504bbdb47631e8058d9e5c40ec30d1a2e86598fc1dfb4f218eead0204099f0780be4e40062dc029a389cc740b9aaa64cf387ddb3d851f36692a83a2cb812ad2"
    "db78276d338053e261d006e667df4dc82d321ca609705c01a523b9909cc982080dd10d9da3f7c133e8d0511d5a8cdbd3fe3e48d275221970c90194bbbee60078"
    "2bdd0da3fc6a98d114886e2926815ecd5297fa3c0f090259b6fa54108fd623bab308e4af414193d11a6f381369d27b8cd3d8d91a2abcce6c7fa615de5d465ce2"
    "d3415768c174e958988b02a05b6ede7f56420f7674c8567bb9a35a1809df96c394b2868cbad4a440fb342440159a75648c27e94caca533d0ff074663bad66ca5",
    16,
)


def public(n: int, e: int = 65537) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(e, n).public_key()


def is_prime(n: int) -> bool:
    """Miller-Rabin, ten rounds of a fixed seed: enough for a test's primes."""
    if n % 2 == 0 or pow(2, n - 1, n) != 1:
        return False
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    rng = random.Random(n)
    for _ in range(10):
        x = pow(rng.randrange(2, n - 1), odd, n)
        if x in (1, n - 1):
            continue
        if not any((x := x * x % n) == n - 1 for _ in range(twos - 1)):
            return False
    return True


def next_prime(n: int) -> int:
    n |= 1
    while any(n % small == 0 for small in _SMALL) or not is_prime(n):
        n += 2
    return n


def random_prime(seed: int, bits: int = HALF) -> int:
    """Its two highest bits are set, so that a product has full length."""
    return next_prime(random.Random(SEED + seed).getrandbits(bits) | 0b11 << (bits - 2))


def roca_prime(seed: int, bits: int = HALF) -> int:
    rng, product = random.Random(SEED + seed), prod(ROCA_PRIMES)
    while True:
        high = (0b11 << (bits - 2)) // product + rng.getrandbits(bits - 2 - product.bit_length())
        candidate = high * product + pow(65537, rng.getrandbits(256), product)
        if is_prime(candidate):
            return candidate


def write_blocklist(folder: Path, *numbers: int, name: str = "debianopenssl") -> Path:
    """`blocklist.dat` and `badkeysdata.json` as badkeys has them, naming keys by modulus or x coordinate."""
    folder.mkdir(parents=True, exist_ok=True)
    digests = sorted(hashlib.sha256(number.to_bytes((number.bit_length() + 7) // 8, "big")).digest()[:15] for number in numbers)
    (folder / "blocklist.dat").write_bytes(b"".join(digest + b"\x01" for digest in digests))
    (folder / "badkeysdata.json").write_text(f'{{"bkformat": 0, "blocklists": [{{"id": 1, "name": "{name}"}}]}}')
    return folder
