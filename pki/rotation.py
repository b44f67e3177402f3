"""Changes the certificates of running services before they expire: the OCSP responders' and the time-stamping authority's.

Every process of a service runs it now and then. Whichever comes first once a certificate is due has a new one issued, for the same key;
the others find it in the books. The old certificate is good for weeks more, so that nobody is ever without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pki.errors import PkiError
from pki.establish import Service, holder_of
from pki.issue import Authority
from pki.ports import CertificateState, CertificateStore, Clock
from pki.publication import Turns
from pki.renew import is_due, renew_service
from pki.tbs import public_key_sha256

AT_MOST = timedelta(minutes=2)  # a process that takes longer over a certificate has stopped


@dataclass(frozen=True)
class Post:
    """A service at work. `current` tells which certificate it uses; `adopt` makes it use another, or raises PkiError."""

    service: Service
    issuing: Authority
    current: Callable[[], bytes]
    adopt: Callable[[bytes], None]


class Rotation:
    """`store` must show what other processes wrote; `turns` lets one of them issue at a time."""

    def __init__(self, posts: Sequence[Post], *, store: CertificateStore, turns: Turns, clock: Clock) -> None:
        self._posts = tuple(posts)
        self._store = store
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
                    changed.append(post.service.label)
            except PkiError as exc:
                failures.append(exc)
        if failures:
            raise failures[0]
        return tuple(changed)

    def _rotated(self, post: Post) -> bool:
        before = post.current()
        newest = self._newest(post)
        if is_due(post.issuing, newest):
            with self._turns.turn(f"rotation/{post.service.label}", at_most=AT_MOST) as ours:
                if ours:  # else whoever is at it will be done by the next time
                    newest = renew_service(post.issuing, replace(post.service, certificate_der=self._newest(post))).certificate_der
        if newest == before:
            return False
        post.adopt(newest)
        return True

    def _newest(self, post: Post) -> bytes:
        """The newest certificate in the books that this process can use: of its key and its issuer, and valid by its clock."""
        key, now, found = public_key_sha256(post.service.key.public_key()), self._clock(), post.current()
        for entry in self._store.of_holder(holder_of(post.service.label)):  # oldest first
            usable = entry.state is CertificateState.ISSUED and entry.not_before <= now
            if usable and entry.certificate_der and (entry.issuer, entry.public_key_sha256) == (post.issuing.name, key):
                found = entry.certificate_der
        return found
