"""Whether a document that passed is one of ours in every respect: made and signed as this house makes and signs its records.

Nothing passes because of this. It only says where our own list is held to be enough (docs/adr/0002-two-engines.md): on the shapes that it
was written for, and on which it has been compared with the second opinion a great many times. Every doubt means no.
"""

from __future__ import annotations

from collections.abc import Sequence

from signing.changes.references import plainly_spelled
from signing.coverage.structure import Structure
from signing.pdf.document import Document, Revision
from signing.pdf.rows import SoleRows
from signing.policy import VerificationPolicy
from signing.trust.times import DocumentProofs
from signing.verdict import Coverage, Entitlement, Indication, SignatureVerdict
from signing.verifying.entitlement import EntitlementFinding

LEVEL = "PAdES-BASELINE-LTA"
EXPECTED_NOTES = frozenset({"TSA_REVOCATION_NOT_FRESH"})  # what an honest record says of itself once its archive time stamp has aged


def is_understood(document: Document, signatures: Sequence[SignatureVerdict], proofs: DocumentProofs, carried: Sequence[bytes]) -> bool:
    """1 every signature passed, and is PAdES; 2 what the document brings as certificates, CRLs and OCSP responses can all be read; 3 what
    signatures and time stamps carry beyond what they sign, certificates, is no more than the document brings besides; 4 references in
    the updates are spelled so that every reader reads them.
    """
    # 1.
    if not all(signature.indication is Indication.TOTAL_PASSED and signature.level is not None for signature in signatures):
        return False
    # 2.
    if not proofs.ground.own.witnesses.is_complete:
        return False
    # 3.
    known = {*proofs.ground.embedded.certificates, *(anchor.certificate_der for anchor in proofs.ground.anchors)}
    if not known.issuperset(carried) or any(not known.issuperset(stamp.finding.certificates) for stamp in proofs.stamps):
        return False
    # 4.
    return plainly_spelled(document, document.revisions[0].end)


def is_own_make(
    document: Document,
    structure: Structure,
    signatures: Sequence[SignatureVerdict],
    finding: EntitlementFinding,
    policy: VerificationPolicy,
    *,
    ours: bool,
) -> bool:
    """Of a document that is understood: 1 the policy asks for entitlement and permits no changes, entitlement is complete, and every
    signer's chain is `ours` (what another authority's certificates look like was never compared); 2 every signature is B-LTA, with nothing
    unusual to say; 3 the archive time stamp closes the file; 4 the form has signature fields alone; 5 the layout is the one that our writer
    gives.
    """
    # 1.
    if not policy.entitlement or not policy.strict_changes or finding.entitlement is not Entitlement.COMPLETE or not ours:
        return False
    # 2.
    if structure.findings or not all(map(_as_expected, signatures)):
        return False
    # 3.
    last = structure.signed[-1]
    if not last.is_timestamp or last.coverage is not Coverage.ENTIRE_FILE:
        return False
    # 4.
    if not {field.type for form in structure.forms for field in form.fields} <= {"Sig"}:
        return False
    # 5.
    return not document.trailing and all(map(_plain, document.revisions))


def _as_expected(signature: SignatureVerdict) -> bool:
    notes = {message.code for message in signature.messages}
    return signature.level == LEVEL and notes <= EXPECTED_NOTES


def _plain(revision: Revision) -> bool:
    """A table of objects of generation 0, none of them freed but object 0."""
    if revision.xref_kind != "table" or revision.linearized:
        return False
    if isinstance(revision.entries, SoleRows):
        return True
    return all((entry.kind == "offset" and not entry.generation) or not entry.number for entry in revision.entries.values())
