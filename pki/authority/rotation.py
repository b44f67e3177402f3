"""Changes the certificates of running services before they expire: the OCSP responders' and the time-stamping authority's.

Every process of a service runs it again and again. Whichever comes first once a certificate is due has a new one issued, for the same key;
the others find it in the books. The old certificate is good for weeks more, so that nobody is ever without. Where a service was given
another key (:mod:`pki.authority.rekey`), they change to that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pki.authority.establish import Service, holder_of
from pki.authority.renew import is_due, renew_service
from pki.authority.service_keys import service_key
from pki.errors import PkiError
from pki.issuing.issue import Authority
from pki.ports import CertificateEntry, CertificateState, CertificateStore, Clock, KeyStore
from pki.status.publication import Turns
from pki.structures.algorithms import SigningKey

AT_MOST = timedelta(minutes=2)  # a process that takes longer over a certificate has stopped


def turn_name(label: str) -> str:
    """Of the turn that whoever issues a certificate for a service takes."""
    return f"rotation/{label}"


@dataclass(frozen=True)
class Post:
    """A service at work. `current` tells which certificate and key it uses; `adopt` makes it use others, or raises PkiError."""

    label: str
    issuing: Authority
    current: Callable[[], tuple[bytes, SigningKey]]
    adopt: Callable[[bytes, SigningKey], None]


class Rotation:
    """`store` must show what other processes wrote, and `keys` what they made; `turns` lets one of them issue at a time."""

    def __init__(self, posts: Sequence[Post], *, store: CertificateStore, keys: KeyStore, turns: Turns, clock: Clock) -> None:
        self._posts = tuple(posts)
        self._store = store
        self._keys = keys
        self._turns = turns
        self._clock = clock

    def run(self) -> tuple[str, ...]:
        """Labels of the services that use another certificate from here on.

        Raises :class:`pki.errors.PkiError` for the first one that could not change, when all have been tried: it goes on with what it has.
        """
        changed, failures = [], []
        for post in self._posts:
            try:
                if self._rotated(post):
                    changed.append(post.label)
            except PkiError as exc:
                failures.append(exc)
        if failures:
            raise failures[0]
        return tuple(changed)

    def _rotated(self, post: Post) -> bool:
        before, _ = post.current()
        newest = self._newest(post)
        if is_due(post.issuing, newest.certificate_der):
            with self._turns.turn(turn_name(post.label), at_most=AT_MOST) as ours:
                if ours:  # else whoever is at it will be done by the next time
                    newest = renew_service(post.issuing, self._newest(post))
        if newest.certificate_der == before:
            return False
        post.adopt(newest.certificate_der, newest.key)
        return True

    def _newest(self, post: Post) -> Service:
        """With the newest certificate in the books that is its issuer's, in force, and valid by this process's clock.

        Raises :class:`pki.errors.PkiError` where there is none, or its key is not here.
        """
        now, found = self._clock(), list[CertificateEntry]()
        for entry in self._store.of_holder(holder_of(post.label)):  # oldest first
            if entry.state is CertificateState.ISSUED and entry.not_before <= now and entry.issuer == post.issuing.name:
                found.append(entry)
        if not found or found[-1].certificate_der is None:
            advice = f"`eduseal certificates rekey-service {post.label}` makes one"
            raise PkiError(f"no certificate of {post.label} under {post.issuing.name} is in force; {advice}")
        certificate_der, key = post.current()
        if certificate_der != found[-1].certificate_der:
            key = service_key(post.label, found[-1].public_key_sha256, self._keys)
        return Service(post.label, found[-1].certificate_der, key)
