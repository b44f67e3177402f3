"""The whole corpus in one run of `eduseal verify`: a line for each file, each with the verdict expected of it, whatever lies beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.corpus import Expected, all_cases
from tests.corpus.good import JUDGED, built, corpus_trust

Run = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # builders may ask pikepdf for what it thinks unwise


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each case in a folder of its own, with what lies beside it."""
    folder = tmp_path_factory.mktemp("corpus")
    for case in all_cases():
        place = folder / case.id
        place.mkdir()
        (place / f"{case.id}.pdf").write_bytes(built(case))
        for name, content in case.beside().items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def anchors(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    named: list[str] = []
    for anchor in corpus_trust().anchors:
        path = tmp_path_factory.mktemp("anchor") / "anchor.pem"
        path.write_bytes(x509.load_der_x509_certificate(anchor.certificate_der).public_bytes(Encoding.PEM))
        named += ["--trust", str(path)]
    return named


@pytest.mark.parametrize("policy", ["record", "ades"])
def test_every_case_gets_its_line(eduseal: Run, corpus: Path, anchors: list[str], policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(corpus / "44-anchor-beside")  # where a var/ with a trust anchor lies
    status, out, err = eduseal(
        "verify", corpus, *anchors, "--at", JUDGED.isoformat(), "--policy", policy, "--format", "jsonl", "--workers", 2
    )
    rows = {Path(row["file"]).stem: row for row in map(json.loads, out.splitlines())}
    assert (status, err) == (1, "")
    assert sorted(rows) == [case.id for case in all_cases()]
    wrong = {case.id: said(rows[case.id]) for case in all_cases() if not fits(rows[case.id], case.expected(policy))}
    assert wrong == {}


def said(row: dict[str, object]) -> tuple[object, ...]:
    return row["indication"], row["sub_indication"], sorted(codes(row))


def fits(row: dict[str, object], expected: Expected) -> bool:
    agrees = (row["indication"], row["sub_indication"]) == (expected.indication, expected.sub_indication)
    return agrees and (expected.code is None or expected.code in codes(row))


def codes(row: dict[str, object]) -> set[str]:
    """Every message code of a line, wherever it stands."""
    holders = [row, *row["signatures"], *row["timestamps"]]  # type: ignore[misc]  # lists of objects
    return {message["code"] for holder in holders for message in holder["messages"]}
