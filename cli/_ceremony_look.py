"""`eduseal ceremony example|show|check`: what needs no home."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from cli._input import read_input
from cli.main import DATA, UsageError
from config.ceremony_files import example as shipped
from config.ceremony_files import example_names
from pki.ceremony.plan import CROSS, MAX_FILE, ROOT, CeremonyPlan, CertificatePlan, KeyHome, parse_plan
from pki.ceremony.review import review
from pki.ceremony.transcript import MAX_TRANSCRIPT

PlanFile = Annotated[str, typer.Argument(metavar="FILE", help="The ceremony's file; `example` prints one.", show_default=False)]


def read_plan_file(path: str) -> CeremonyPlan:
    return parse_plan(read_input(path, limit=MAX_FILE))


def example(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"One of: {', '.join(example_names())}.", show_default=False)],
) -> int:
    """Print a ceremony's file, to be copied and changed."""
    print(shipped(name), end="")
    return 0


def show(file: PlanFile) -> int:
    """Say what a ceremony's file asks for, and the SHA-256 that a second person approves."""
    plan = read_plan_file(file)
    print(plan.title)
    print(f"  SHA-256 of the file: {plan.sha256.hex()}")
    print(f"  for {plan.organization} ({plan.identifier}, {plan.country}), published at {plan.base_url}")
    for person in plan.participants:
        print(f"  {person.role.value}: {person.name}")
    if plan.split is not None:
        print(f"  key store: opened by any {plan.split.threshold} of {len(plan.split.holders)}: {', '.join(plan.split.holders)}")
    for wanted in plan.certificates:
        print(f"  certificate {wanted.title}: {_told(plan, wanted)}")
    print(f"  revocation lists of roots hold for {plan.crl_validity.days} days")
    return 0


def _told(plan: CeremonyPlan, wanted: CertificatePlan) -> str:
    key = plan.key(wanted.subject)
    if wanted.profile == CROSS or key is None:
        return f"the root {wanted.subject} certified by the root {wanted.issuer}, at most {wanted.validity.days} days"
    where = "made in the root's home" if key.home is KeyHome.HERE else "made in the home that serves"
    by = "itself" if wanted.profile == ROOT else wanted.issuer
    return f"“{wanted.name}”, {key.curve} key {where}, signed by {by}, {wanted.validity.days} days"


def check(
    transcript: Annotated[str, typer.Argument(metavar="TRANSCRIPT", help="A .jsonl file that a ceremony wrote.", show_default=False)],
    sha256: Annotated[str | None, typer.Option(metavar="HEX", help="Its SHA-256, as the participants wrote it down.")] = None,
) -> int:
    """Verify a transcript again: every digest, signature, field of a certificate, approval and share count.

    The SHA-256 is compared with --sha256, or else with the file TRANSCRIPT.sha256 beside it.
    """
    octets = read_input(transcript, limit=MAX_TRANSCRIPT)
    digest = hashlib.sha256(octets).hexdigest()
    beside = Path(f"{transcript}.sha256")
    expected = sha256 or (read_input(str(beside), limit=4096).decode("ascii", "replace").partition(" ")[0] if beside.exists() else None)
    if expected is not None and expected.replace(":", "").strip().lower() != digest:
        raise UsageError(f"{transcript}: its SHA-256 is {digest}, expected {expected.strip()[:64]}; it is not the one written", status=DATA)
    found = review(octets)
    print(f"{found.title}: step {found.step}, by {found.program}")
    print(f"  SHA-256 {digest}" + ("" if expected else " (compare it with what the participants wrote down)"))
    kinds = ("participant", "share", "approval", "key", "request", "standing", "certificate", "crl")
    print("  verified: " + ", ".join(_counted(found.found[kind], kind) for kind in kinds if kind in found.found))
    return 0


def _counted(number: int, kind: str) -> str:
    name = {"crl": "list", "standing": "standing certificate"}.get(kind, kind)
    return f"{number} {name}{'s' if number != 1 else ''}"
