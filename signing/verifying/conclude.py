"""The end of a judgement: what other findings do to signatures that were good by themselves."""

from __future__ import annotations

from dataclasses import replace

from signing.failure import indication_of
from signing.trust.times import DocumentProofs
from signing.verdict import Entitlement, Indication, Message, SignatureVerdict, SubIndication, TimestampVerdict
from signing.verifying.entitlement import EntitlementFinding


def document_stamps(proofs: DocumentProofs) -> tuple[TimestampVerdict, ...]:
    return tuple(stamp.finding.verdict(field=stamp.field.name, kind="document", coverage=stamp.field.coverage) for stamp in proofs.stamps)


def held_to_entitlement(signatures: tuple[SignatureVerdict, ...], finding: EntitlementFinding) -> tuple[SignatureVerdict, ...]:
    """Signatures that are not those the record needs: none of them passes, since a document is judged by its worst signature.

    This goes before doubts about freshness, which more evidence could dispel: here none can.
    """
    if finding.entitlement not in (Entitlement.INCOMPLETE, Entitlement.NOT_ENTITLED):
        return signatures
    code = f"ENTITLEMENT_{finding.entitlement.name}"
    message = Message(code, "whatever this signature is worth by itself, the document is not signed as such a record must be")
    return tuple(
        one if one.indication is Indication.TOTAL_FAILED else lower(one, SubIndication.SIG_CONSTRAINTS_FAILURE, message)
        for one in signatures
    )


def lower(signature: SignatureVerdict, sub_indication: SubIndication, message: Message) -> SignatureVerdict:
    return replace(
        signature,
        indication=indication_of(sub_indication),
        sub_indication=sub_indication,
        messages=(message, *signature.messages),
    )
