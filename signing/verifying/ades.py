"""pyHanko's AdES validation as a second opinion: the only file that imports it.

What is asked of it, for every signature: its PAdES LTA validation (EN 319 102-1 clause 5.6.3) at our moment, with our trust anchors, the
document's own validation data, and the evidence that was handed in. What is not asked of it:

- change analysis (`diff_policy=None`): ours is stricter, and it would take nine tenths of the time;
- the network: everything is local;
- the outermost TSA's freshness, where our policy is lenient: it is told that this TSA was not revoked, as our policy says (otherwise every
  honest record would turn NO_POE once the TSA's embedded CRL is stale);
- revocation checking is "soft": data that are there are judged, data that are missing or stale are our own list's business. pyHanko
  words such data like a broken chain (CERTIFICATE_CHAIN_GENERAL_FAILURE), so that it is then asked again about the chain alone;
- a signature without a time stamp of its own has no LTA validation there: its basic validation is asked for, of digest, value and chain;
- time: an answer that only says that something is not proven *now* (NO_POE, OUT_OF_BOUNDS, TRY_LATER) is no dissent, since our list has its
  own rules for that and lets nothing pass without them.

So it dissents where it finds another digest, another signature value, another signer, no chain, a broken constraint, or a revocation.
Whatever it raises is a dissent too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from typing import Any

from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate, AdESPassed, AdESStatus
from pyhanko.sign.validation import KeyUsageConstraints
from pyhanko.sign.validation.ades import ades_basic_validation, ades_lta_validation
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import NO_REVOCATION, CertRevTrustPolicy, NonRevokedStatusAssertion, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from signing.trust.store import Supplied
from signing.verdict import SubIndication
from signing.verifying.opinion import Dissent, Question

_LOCAL = RevocationInfoGatheringSpec(
    online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY, certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH
)
_KEY_USAGE = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
_MATTERS_OF_TIME = frozenset(
    {
        AdESIndeterminate.NO_POE,
        AdESIndeterminate.OUT_OF_BOUNDS_NO_POE,
        AdESIndeterminate.OUT_OF_BOUNDS_NOT_REVOKED,
        AdESIndeterminate.REVOCATION_OUT_OF_BOUNDS_NO_POE,
        AdESIndeterminate.TRY_LATER,
    }
)


class Ades:
    """A :class:`signing.verifying.opinion.SecondOpinion`."""

    def dissents(self, question: Question, fields: Sequence[str]) -> Mapping[str, Dissent]:
        """See :class:`signing.verifying.opinion.SecondOpinion`."""
        logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # it warns on stderr of what we report as a verdict
        logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
        try:
            reader = PdfFileReader(BytesIO(question.document), strict=False)
            signatures = {signature.field_name: signature for signature in reader.embedded_regular_signatures}
            specs = _specs(question, reader)
        except Exception as exc:  # domain.md: ValueError, TypeError, KeyError, AssertionError, OSError, RecursionError all escape
            return dict.fromkeys(fields, _unavailable(exc))
        answers = {field: _dissent(signatures.get(field), specs, question.at) for field in fields}
        return {field: answer for field, answer in answers.items() if answer is not None}


def _dissent(signature: EmbeddedPdfSignature | None, specs: _Specs, at: datetime) -> Dissent | None:
    if signature is None:
        return Dissent(SubIndication.SIG_CONSTRAINTS_FAILURE, "pyHanko's AdES validation does not see this signature at all")
    try:
        found = asyncio.run(_asked(signature, specs, at))
    except Exception as exc:  # as above
        return _unavailable(exc)
    if found is AdESPassed.OK or found in _MATTERS_OF_TIME:
        return None
    known = SubIndication.__members__.get(str(getattr(found, "name", "")))
    if known is None:
        known = SubIndication.FORMAT_FAILURE if found.status is AdESStatus.FAILED else SubIndication.SIG_CONSTRAINTS_FAILURE
    return Dissent(known, f"pyHanko's AdES validation says {known.value}; when two verifiers disagree, nothing passes")


async def _asked(signature: EmbeddedPdfSignature, specs: _Specs, at: datetime) -> Any:
    timing = ValidationTimingInfo(validation_time=at, best_signature_time=at, point_in_time_validation=True)
    if not any(True for _ in extract_tst_data_iter(signature.signer_info, signed=False)):
        spec = specs.chain_only.signature_validation_spec
        return (
            await ades_basic_validation(signature.signed_data, spec, timing_info=timing, raw_digest=signature.compute_digest())
        ).ades_subindic
    found = (await ades_lta_validation(signature, specs.whole, timing)).ades_subindic
    if found is AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE:
        found = (await ades_lta_validation(signature, specs.chain_only, timing)).ades_subindic
    return found


@dataclass(frozen=True)
class _Specs:
    """What pyHanko is to check: revocation where there are data, or the chain alone."""

    whole: PdfSignatureValidationSpec
    chain_only: PdfSignatureValidationSpec


def _specs(question: Question, reader: PdfFileReader) -> _Specs:
    trust = SimpleTrustManager.build([asn1_x509.Certificate.load(anchor.certificate_der) for anchor in question.trust.anchors])
    assertions = []
    stamps = reader.embedded_timestamp_signatures
    if question.unrevoked_tsa and stamps:
        assertions.append(NonRevokedStatusAssertion(stamps[-1].signer_cert.sha256, at=question.at))
    knowledge = LocalKnowledge(**_knowledge(question.supplied, question.at), nonrevoked_assertions=assertions)

    def spec(revocation: RevocationCheckingPolicy) -> PdfSignatureValidationSpec:
        return PdfSignatureValidationSpec(
            SignatureValidationSpec(
                cert_validation_policy=CertValidationPolicySpec(trust_manager=trust, revinfo_policy=CertRevTrustPolicy(revocation)),
                revinfo_gathering_policy=_LOCAL,
                local_knowledge=knowledge,
                key_usage_settings=_KEY_USAGE,
            ),
            diff_policy=None,
        )

    return _Specs(spec(RevocationCheckingPolicy.from_legacy("soft-fail")), spec(NO_REVOCATION))


@lru_cache(maxsize=2)
def _knowledge(supplied: Supplied, at: datetime) -> dict[str, Any]:
    early = supplied.as_of(at)
    return {
        "known_certs": [asn1_x509.Certificate.load(der) for der in early.certificates],
        "known_crls": [CRLContainer(asn1_crl.CertificateList.load(der)) for der in early.crls],
        "known_ocsps": [OCSPContainer(asn1_ocsp.OCSPResponse.load(der)) for der in early.ocsps],
    }


def _unavailable(exc: Exception) -> Dissent:
    text = f"pyHanko's AdES validation gave up ({type(exc).__name__}); what only one verifier can read does not pass"
    return Dissent(SubIndication.SIG_CONSTRAINTS_FAILURE, text)
