"""Ceremony files: the shipped ones, and everything that a file may not say."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.ceremony_files import example, example_names
from pki.ceremony.plan import KeyHome, parse_plan
from pki.ceremony.table import PlanError
from pki.errors import PkiError
from tests.support.ceremonies import plan_text, shipped_plan


def test_three_files_are_shipped() -> None:
    assert example_names() == ("issuing", "rollover", "root")


@pytest.mark.parametrize("name", example_names())
def test_shipped_file_is_read_and_known_by_its_digest(name: str) -> None:
    text = example(name).encode()
    assert parse_plan(text).sha256 == hashlib.sha256(text).digest()


def test_root_is_made_here_and_held_by_two_of_three() -> None:
    plan = shipped_plan("root")
    assert plan.split is not None
    assert (plan.split.threshold, len(plan.split.holders)) == (2, 3)
    assert [(key.label, key.curve, key.home) for key in plan.keys] == [("root", "P-384", KeyHome.HERE)]


def test_rollover_crosses_both_ways() -> None:
    assert [each.title for each in shipped_plan("rollover").certificates] == ["root-2", "root-2-by-root", "root-by-root-2", "issuing-2"]


REFUSED = [
    ("root", ("crl_validity_days = 190", "crl_validity_days = 190\nsurplus = 1"), "ceremony file: unknown key 'surplus'"),
    ("root", ('curve = "P-384"', 'curve = "P-384"\ncurv = "P-256"'), r"\[\[keys\]\] 1: unknown key 'curv'"),
    ("root", ('country = "VN"', 'country = "VN"\nlocality = "Hanoi"'), r"\[organization\]: unknown key 'locality'"),
    ("root", ('role = "operator"', 'role = "operator"\nage = 3'), r"\[\[participants\]\] 1: unknown key 'age'"),
    ("root", ('profile = "root"', 'profile = "root"\npath = 1'), r"\[\[certificates\]\] 1: unknown key 'path'"),
    ("root", ("threshold = 2", "threshold = 2\nextra = 1"), r"\[split\]: unknown key 'extra'"),
    ("root", ("eduseal-ceremony/1", "eduseal-ceremony/2"), "format: got 'eduseal-ceremony/2', expected eduseal-ceremony/1"),
    ("root", ("threshold = 2", "threshold = 4"), "threshold: got 4, expected a whole number from 2 to 3"),
    ("root", ("threshold = 2", "threshold = 1"), "threshold: got 1, expected a whole number from 2 to 3"),
    ("root", ("threshold = 2", "threshold = true"), "threshold: got True, expected a whole number"),
    ("root", ('"Head of the department", "Head of examinations", ', ""), "holders: 1 named, expected 2 to 16"),
    ("root", ("Head of examinations", "Head of the department"), "holders: a text stands twice"),
    ("root", ('role = "witness"', 'role = "operator"'), "participants: nobody is witness"),
    ("root", ('role = "operator"', 'role = "witness"'), "participants: nobody is operator"),
    ("root", ('role = "operator"', 'role = "queen"'), "role: got 'queen', expected operator or witness"),
    ("root", ("First witness", "Ceremony operator"), "'Ceremony operator' stands twice; nobody witnesses their own work"),
    ("root", ('home = "here"', 'home = "online"'), "root is a root's and must be made here"),
    ("root", ('curve = "P-384"', 'curve = "P-521"'), "curve: got 'P-521', expected P-256 or P-384"),
    ("root", ('label = "root"', 'label = "tsa"'), "label: got 'tsa', expected root or issuing"),
    ("root", ('label = "root"', 'label = "root-2"'), "keys: root-2 gets no certificate"),
    ("root", ('issuer = "root"', 'issuer = "root-2"'), "profile root is issued by itself, got root-2"),
    ("root", ("validity_days = 10958", "validity_days = 99999"), "validity_days: got 99999"),
    ("root", ("validity_days = 10958", 'validity_days = "long"'), "validity_days: got long"),
    ("root", ("crl_validity_days = 190", "crl_validity_days = 4000"), "crl_validity_days: got 4000, expected a whole number from 1 to 400"),
    ("root", ('title = "Root of the education authority"', ""), "ceremony file title: missing"),
    ("root", ('country = "VN"', 'country = "XX"'), "certificate root: country: got 'XX'"),
    ("root", ("http://pki.example.org", "pki.example.org"), "base URL: got 'pki.example.org'"),
    ("issuing", ('issuer = "root"', 'issuer = "issuing"'), "certificate issuing: its issuer is issuing, expected a root"),
    ("issuing", ('profile = "issuing"', 'profile = "root"'), "profile root is for root, got subject issuing"),
    ("issuing", ('profile = "issuing"', 'profile = "teacher"'), "profile: got 'teacher'"),
    ("rollover", ('subject = "issuing-2"', 'subject = "issuing-3"'), "keys: issuing-2 gets no certificate"),
    ("rollover", ('subject = "root"\nissuer = "root-2"', 'subject = "root-2"\nissuer = "root-2"'), "issued by another, got root-2"),
]


@pytest.mark.parametrize(("name", "change", "message"), REFUSED)
def test_impossible_file_is_refused_by_name(name: str, change: tuple[str, str], message: str) -> None:
    with pytest.raises(PkiError, match=message):
        parse_plan(plan_text(name, change))


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe", b"title = [", b"[" * 5000, b"a" * 70_000, b'participants = 3\nformat = "eduseal-ceremony/1"']
)
def test_what_is_no_ceremony_file_is_refused(text: bytes) -> None:
    with pytest.raises(PlanError):
        parse_plan(text)


@given(cut=st.integers(0, 1500), put=st.binary(max_size=6))
@settings(derandomize=True, max_examples=150, deadline=None)
def test_damaged_file_is_refused_or_read_never_a_traceback(cut: int, put: bytes) -> None:
    text = example("rollover").encode()
    with contextlib.suppress(PkiError):
        parse_plan(text[:cut] + put + text[cut + len(put) :])
