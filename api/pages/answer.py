"""A checked document in its reader's words: the answer, who signed, what was checked. Shared by the page and the signed report."""

from __future__ import annotations

from dataclasses import dataclass

from api.checker import Checked
from api.pages.outcome import Outcome, State, checks_of, outcome_of, status_unknown
from api.pages.words import Words
from api.standing import stands_alone
from signing.reports.report import Row, findings
from signing.reports.report_pdf import CheckLine, SignerLine
from signing.verdict import Indication

TONES = {
    Outcome.CURRENT: "good",
    Outcome.SUPERSEDED: "warn",
    Outcome.WITHDRAWN: "warn",
    Outcome.ALTERED: "bad",
    Outcome.NOT_OFFICIAL: "bad",
    Outcome.UNTRUSTED: "bad",
    Outcome.UNDETERMINED: "calm",
    Outcome.NO_SIGNATURE: "calm",
}
STATES = {State.GOOD: "good", State.BAD: "bad", State.UNKNOWN: "calm"}
# what the verifier says of a file that it cannot read, and the text for it
_UNREADABLE = {
    "NOT_A_PDF": f"{Outcome.NO_SIGNATURE}.unreadable",
    "ENCRYPTED_PDF": f"{Outcome.UNDETERMINED}.encrypted",
    "LIMIT_EXCEEDED": f"{Outcome.UNDETERMINED}.limit",
}
_INDICATIONS = {Indication.TOTAL_PASSED: "good", Indication.TOTAL_FAILED: "bad", Indication.INDETERMINATE: "calm"}


@dataclass(frozen=True)
class Answer:
    """`tone` is "good", "warn", "bad" or "calm": said in words, colour and icon."""

    outcome: Outcome
    tone: str
    title: str
    text: str
    action: str
    signers: tuple[SignerLine, ...]
    checks: tuple[CheckLine, ...]
    findings: tuple[str, ...]


def answer_of(words: Words, checked: Checked) -> Answer:
    row, outcome = checked.row, outcome_of(checked.row)
    text = words(f"outcome.{outcome}.text")
    action = words(f"outcome.{outcome}.action")
    codes = {message["code"] for message in row["messages"]}
    if outcome is Outcome.UNDETERMINED and status_unknown(row):
        text = words("outcome.undetermined.status")
    elif variant := next((found for code, found in _UNREADABLE.items() if code in codes and found.startswith(outcome)), None):
        text = words(f"outcome.{variant}")
    if outcome is Outcome.SUPERSEDED and checked.current_version:
        action = words("outcome.superseded.action_version", current=checked.current_version)
    return Answer(
        outcome=outcome,
        tone=TONES[outcome],
        title=words(f"outcome.{outcome}.title"),
        text=text,
        action=action,
        signers=tuple(_signer(words, signature) for signature in row["signatures"]),
        checks=tuple(
            CheckLine(words(f"check.{one.name}.name"), words(f"check.{one.name}.{one.state}"), STATES[one.state]) for one in checks_of(row)
        ),
        findings=tuple(findings(row)),
    )


def _signer(words: Words, signature: Row) -> SignerLine:
    """One row of the table of signers: what the certificate says, never the claims inside the PDF."""
    signer = signature["signer"] or {}
    role, moment = signer.get("role"), signature["best_signature_time"]
    indication = Indication.TOTAL_PASSED if stands_alone(signature) else Indication(signature["indication"])
    known = words(f"role.{role}") if role and f"role.{role}" in words else None
    name, organization = signer.get("name"), signer.get("organization")
    return SignerLine(
        name=name or words("signers.unnamed"),
        place=", ".join(part for part in (known, organization if organization != name else None) if part),
        time=f"{moment[:16].replace('T', ' ')} UTC" if moment else words("signers.none"),
        answer=words(f"indication.{indication}"),
        tone=_INDICATIONS[indication],
    )
