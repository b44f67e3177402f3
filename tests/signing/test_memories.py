"""What a worker remembers from document to document is bounded in octets too, whatever documents hold."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from pki.paths.validation_cache import ValidationCache
from pki.revocation import ocsp_evidence
from pki.revocation.inquiry import Evidence
from pki.revocation.readable import ReadEvidence
from signing.pdf import indirect
from signing.pdf.indirect import read_head
from signing.pdf.limits import LIMITS
from signing.trust.carried import MAX_SHORT, carried
from tests.support.chain_cases import AT, Node, answer, root

_PRIVATE = ObjectIdentifier("1.3.6.1.4.1.32473.98")


def _of_size(octets: int) -> Node:
    return root(extensions=[(x509.UnrecognizedExtension(_PRIVATE, bytes(octets)), False)])


def test_large_certificate_is_read_each_time_and_never_kept() -> None:
    large, small = _of_size(MAX_SHORT).der, _of_size(10).der
    again, other = carried(large), carried(large)
    assert again is not None
    assert other is not None
    assert again is not other
    assert again.subject == other.subject
    assert carried(small) is carried(small)


def test_long_name_is_hashed_each_time_and_never_kept() -> None:
    before = ocsp_evidence._remembered.cache_info().misses
    long = bytes(ocsp_evidence.MAX_HASHED + 1)
    assert ocsp_evidence._hash("sha1", long) == ocsp_evidence._hashed("sha1", long)
    assert ocsp_evidence._remembered.cache_info().misses == before


def test_object_of_many_parts_is_read_as_it_is_and_never_kept() -> None:
    parts = indirect.MAX_PARTS + 1
    octets = b"1 0 obj\n[" + b"[]" * parts + b"]\nendobj\n"
    one, other = (read_head(octets, 0, limits=LIMITS) for _ in range(2))
    assert one == other == ([[]] * parts, len(octets) - 1, 0)
    assert one[0] is not other[0]


def test_answers_that_are_read_count_as_many_octets_as_they_take_in_memory() -> None:
    top, cache = root(), ValidationCache(max_octets=20_000)
    leaf = top.issue()
    for minutes in range(30):
        evidence = Evidence(ocsps=(answer(leaf, top, this_update=AT + timedelta(minutes=minutes)),))
        assert ReadEvidence(evidence, cache).latest
    assert len(cache) < 30
