"""Name constraints: the name space that an authority may issue in (RFC 5280 sections 4.2.1.10 and 6.1.3 b, c).

Directory names, e-mail addresses, DNS names, URIs and IP addresses are understood. A certificate holding a name of another form that some
authority above it constrains is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from pki.paths.chain_errors import ConstraintError, PathLimitError
from pki.structures.certificate import Certificate
from pki.structures.extensions import Subtrees
from pki.structures.names import DistinguishedName, GeneralName, GeneralNameKind, email_addresses, within

MAX_NAME_COMPARISONS = 250_000  # in one path; bounds work on hostile input


def _directory(name: DistinguishedName, subtree: DistinguishedName) -> bool:
    return within(name, subtree)


def _dns(name: str, subtree: str) -> bool:
    """Any number of labels may be added on the left; a leading dot, which some write, asks for at least one (as OpenSSL and NSS read
    it).
    """
    host, base = name.lower().rstrip("."), subtree.lower()
    if base.startswith("."):
        return host.endswith(base)
    return base == "" or host == base or host.endswith("." + base)


def _host(host: str, subtree: str) -> bool:
    """For mail and URI hosts a leading dot means a host below the domain; without it, that very host."""
    host, base = host.lower(), subtree.lower()
    return host.endswith(base) if base.startswith(".") else host == base


def _email(name: str, subtree: str) -> bool:
    local, at, host = name.rpartition("@")
    if not at or not local:
        raise ConstraintError("an e-mail address without a mailbox meets a name constraint")
    base_local, base_at, base_host = subtree.rpartition("@")
    if base_at:
        return local == base_local and host.lower() == base_host.lower()
    return _host(host, subtree)


def _uri(name: str, subtree: str) -> bool:
    try:
        host = urlsplit(name).hostname
    except ValueError:
        host = None
    if not host or ":" in host or host.replace(".", "").isdigit():
        # RFC 5280 4.2.1.10: a URI without an authority, or with an IP address for a host, is rejected where URIs are constrained
        raise ConstraintError("a URI without a host name meets a name constraint")
    return _host(host, subtree)


def _ip(name: bytes, subtree: bytes) -> bool:
    half = len(subtree) // 2
    if len(subtree) not in (8, 32):
        raise ConstraintError(f"an IP address constraint of {len(subtree)} octets, expected 8 or 32")
    address, mask = subtree[:half], subtree[half:]
    return len(name) == half and all(a & m == b & m for a, b, m in zip(name, address, mask, strict=True))


_MATCHERS: dict[GeneralNameKind, Callable[..., bool]] = {
    GeneralNameKind.DIRECTORY: _directory,
    GeneralNameKind.EMAIL: _email,
    GeneralNameKind.DNS: _dns,
    GeneralNameKind.URI: _uri,
    GeneralNameKind.IP: _ip,
}


class NameSpace:
    """The constraints gathered from the trust anchor down to the certificate at hand."""

    def __init__(self) -> None:
        self._permitted: list[tuple[GeneralName, ...]] = []
        self._excluded: list[GeneralName] = []
        self._comparisons = 0

    def narrow(self, subtrees: Subtrees | None) -> None:
        """Adds one authority's constraints: permitted sets intersect, excluded ones unite."""
        if subtrees is not None:
            self._permitted.append(subtrees.permitted)
            self._excluded.extend(subtrees.excluded)

    def check(self, certificate: Certificate, label: str) -> None:
        """Raises ConstraintError where a name of `certificate` lies outside; PathLimitError beyond MAX_NAME_COMPARISONS."""
        if not self._permitted and not self._excluded:
            return
        for name in _names(certificate):
            if any(self._matches(name, tree, label) for tree in self._excluded if tree.kind is name.kind):
                raise ConstraintError(f"{label} bears {_form(name)} that an authority above it excludes")
            for permitted in self._permitted:
                same = [tree for tree in permitted if tree.kind is name.kind]
                if same and not any(self._matches(name, tree, label) for tree in same):
                    raise ConstraintError(f"{label} bears {_form(name)} outside those that an authority above it permits")

    def _matches(self, name: GeneralName, tree: GeneralName, label: str) -> bool:
        self._comparisons += 1
        if self._comparisons > MAX_NAME_COMPARISONS:
            raise PathLimitError(f"name constraints ask for more than {MAX_NAME_COMPARISONS} comparisons")
        matcher = _MATCHERS.get(name.kind)
        if matcher is None:
            raise ConstraintError(
                f"{label} bears {_form(name)}, a form of name that an authority above it constrains and that is not understood"
            )
        return matcher(name.value, tree.value)


def _names(certificate: Certificate) -> list[GeneralName]:
    """Subject, subject alternative names, and e-mail addresses inside the subject.

    RFC 5280 4.2.1.10 asks for the last only where no subject alternative name is present; they are always checked here, since they are
    shown.
    """
    names = list(certificate.extensions.subject_alt_names)
    if certificate.subject:
        names.append(GeneralName(GeneralNameKind.DIRECTORY, certificate.subject))
    names.extend(GeneralName(GeneralNameKind.EMAIL, address) for address in email_addresses(certificate.subject))
    return names


def _form(name: GeneralName) -> str:
    return {
        GeneralNameKind.DIRECTORY: "a directory name",
        GeneralNameKind.EMAIL: "an e-mail address",
        GeneralNameKind.DNS: "a DNS name",
        GeneralNameKind.URI: "a URI",
        GeneralNameKind.IP: "an IP address",
    }.get(name.kind, f"a name of form [{int(name.kind)}]")
