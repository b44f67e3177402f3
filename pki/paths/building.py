"""Finds candidate paths from a leaf to a trust anchor by names and signatures, in bounded work (RFC 4158).

Several certificates may bear one name (a renewed authority, a cross certificate, a rogue one with the same name): each that verifies is
tried, trust anchors first, then those whose key identifier matches. A wrong key identifier only puts a candidate last; a wrong signature
excludes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pki.errors import EncodingError, SignatureError, UnsupportedAlgorithmError
from pki.paths.chain_errors import AlgorithmError, ChainError, PathLimitError, PathSignatureError
from pki.paths.inherited_key import lacks_parameters
from pki.paths.validation import CheckSignature
from pki.structures.certificate import Certificate, load_certificate
from pki.structures.names import DistinguishedName

MAX_PATH_LENGTH = 16  # certificates below the anchor; honest paths have two to four, PKITS has five
MAX_INTERMEDIATES = 1_000  # certificates offered with one document, 5,000 signature fields or not
MAX_SIGNATURE_CHECKS = 100  # in one search; 7 ms with P-256
MAX_STEPS = 2_000  # visits of a certificate in one search
MAX_PATHS = 50  # whole paths handed on to validation

Path = tuple[tuple[Certificate, ...], Certificate]
"""Certificates below the anchor, leaf first; and the anchor."""


class Pool:
    """The certificates that may serve as issuers, by subject. What cannot be parsed is left out, and counted in `unreadable`."""

    def __init__(self, intermediates: Sequence[bytes], anchors: Sequence[Certificate]) -> None:
        if len(intermediates) > MAX_INTERMEDIATES:
            raise PathLimitError(f"{len(intermediates)} certificates are offered, more than the {MAX_INTERMEDIATES} that are searched")
        self._anchors: dict[DistinguishedName, list[Certificate]] = {}
        self._others: dict[DistinguishedName, list[Certificate]] = {}
        self.unreadable = 0
        self._reachable: dict[DistinguishedName, tuple[bytes, ...]] = {}
        for anchor in anchors:
            self._anchors.setdefault(anchor.subject, []).append(anchor)
        trusted = {anchor.der for anchor in anchors}
        for der in dict.fromkeys(intermediates):
            if der in trusted:
                continue
            try:
                certificate = load_certificate(der)
            except EncodingError:
                self.unreadable += 1
                continue
            self._others.setdefault(certificate.subject, []).append(certificate)

    def issuers(self, certificate: Certificate) -> list[tuple[Certificate, bool]]:
        """Candidates by name, each with whether it is an anchor, the likeliest first."""
        anchors = self._anchors.get(certificate.issuer, [])
        others = self._others.get(certificate.issuer, [])
        wanted = certificate.extensions.authority_key_identifier
        ranked = [(candidate, True) for candidate in anchors] + [(candidate, False) for candidate in others]
        return sorted(ranked, key=lambda item: (_mismatch(item[0], wanted), not item[1]))

    def reachable(self, leaf: Certificate) -> tuple[bytes, ...]:
        """SHA-256 of every certificate that names could lead to: all that a search from `leaf` can depend on.

        Those of one name stand in the order in which they were offered, as they are tried.
        """
        found = self._reachable.get(leaf.issuer)
        if found is None:
            found = self._reachable[leaf.issuer] = self._walked(leaf)
        return found

    def _walked(self, leaf: Certificate) -> tuple[bytes, ...]:
        seen: dict[bytes, Certificate] = {}
        waiting, asked = [leaf], set()
        while waiting:
            name = waiting.pop().issuer
            if name in asked:
                continue
            asked.add(name)
            for candidate in [*self._anchors.get(name, []), *self._others.get(name, [])]:
                if candidate.sha256 not in seen:
                    seen[candidate.sha256] = candidate
                    waiting.append(candidate)
        return tuple(seen)


def _mismatch(candidate: Certificate, wanted: bytes | None) -> int:
    has = candidate.extensions.subject_key_identifier
    if wanted is None or has is None:
        return 1
    return 0 if has == wanted else 2


@dataclass
class Search:
    """One search. `failure` is the worst thing met on the way, to be raised where no path is found."""

    pool: Pool
    check_signature: CheckSignature
    failure: ChainError | None = None
    _steps: int = 0
    _checks: int = 0
    _edges: dict[tuple[bytes, bytes], bool] = field(default_factory=dict)

    def paths(self, leaf: Certificate) -> Iterator[Path]:
        """Every path in turn, depth first; raises PathLimitError at MAX_STEPS, MAX_SIGNATURE_CHECKS or MAX_PATHS."""
        for found, path in enumerate(self._extend((leaf,)), start=1):
            if found > MAX_PATHS:
                raise PathLimitError(f"more than {MAX_PATHS} paths lead to a trust anchor, and none tried is valid")
            yield path

    def _extend(self, path: tuple[Certificate, ...]) -> Iterator[Path]:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise PathLimitError(f"the search for a path passed {MAX_STEPS} steps")
        certificate = path[-1]
        for issuer, trusted in self.pool.issuers(certificate):
            if trusted:
                if self._signed(certificate, issuer):
                    yield path, issuer
            elif len(path) < MAX_PATH_LENGTH and not _repeats(issuer, path) and self._signed(certificate, issuer):
                yield from self._extend((*path, issuer))

    def _signed(self, certificate: Certificate, issuer: Certificate) -> bool:
        edge = (certificate.sha256, issuer.spki_der)
        if edge not in self._edges:
            self._checks += 1
            if self._checks > MAX_SIGNATURE_CHECKS:
                raise PathLimitError(f"the search for a path passed {MAX_SIGNATURE_CHECKS} signature checks")
            self._edges[edge] = self._verify(certificate, issuer)
        return self._edges[edge]

    def _verify(self, certificate: Certificate, issuer: Certificate) -> bool:
        if lacks_parameters(issuer):
            return True  # only the whole path gives its key; validation checks the signature
        try:
            self.check_signature(certificate, issuer.public_key)
        except SignatureError as exc:
            self.failure = self.failure or PathSignatureError(
                f"certificate {certificate.serial_hex} is not signed by the issuer it names ({exc})"
            )
            return False
        except UnsupportedAlgorithmError as exc:
            self.failure = AlgorithmError(f"certificate {certificate.serial_hex} or its issuer's key: {exc}")
            return False
        return True


def _repeats(candidate: Certificate, path: tuple[Certificate, ...]) -> bool:
    """The same name and key twice in one path proves nothing more (RFC 4158 section 2.4.2)."""
    return any(candidate.subject == other.subject and candidate.spki_der == other.spki_der for other in path)
