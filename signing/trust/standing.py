"""Whether a certificate stands at a moment: its chain to an anchor of ours, and nobody on it revoked (EN 319 102-1 clauses 5.2.4 to 5.2.6).

The moment is a :class:`signing.trust.ground.Horizon`: by then what the certificate signed is proven to have existed, or it is when we
judge.
"""

from __future__ import annotations

from pki.errors import EncodingError, PkiError
from pki.paths.chain import ChainError, KeyPurpose, NoPathError, ValidatedPath, ValidityError, load_certificate, validate_path
from pki.paths.chain_errors import CertificateRole, ChainFailure
from pki.remote.lack import Lack
from pki.revocation.judgement import ISSUED_AFTER, UNTIL_NEXT_UPDATE, RevocationResult, RevocationState
from pki.structures.certificate import Certificate
from signing.failure import CheckFailedError
from signing.trust.ground import Ground, Horizon, Standing, Tier
from signing.verdict import Message, SubIndication, rfc3339

_CODES = {ChainFailure.NO_CERTIFICATE_CHAIN_FOUND: "CHAIN_NOT_FOUND"}
_CHAIN: dict[ChainFailure, SubIndication] = {
    ChainFailure.MALFORMED: SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE,
    ChainFailure.NO_CERTIFICATE_CHAIN_FOUND: SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
    ChainFailure.CONSTRAINT: SubIndication.CHAIN_CONSTRAINTS_FAILURE,
    ChainFailure.PURPOSE: SubIndication.CHAIN_CONSTRAINTS_FAILURE,
    ChainFailure.SIGNATURE: SubIndication.NO_CERTIFICATE_CHAIN_FOUND,  # a stranger under a trusted name
    ChainFailure.ALGORITHM: SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
    ChainFailure.LIMIT: SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE,
}


def standing(
    leaf_der: bytes,
    carried: tuple[bytes, ...],
    *,
    purpose: KeyPurpose,
    horizon: Horizon,
    ground: Ground,
    lenient: bool = False,
) -> Standing:
    """The chain of `leaf_der` at the horizon, unrevoked; see :func:`chain_of` and :func:`unrevoked`. Raises :class:`CheckFailedError`.

    One authority makes the time stamps on all signatures of a document, and is asked about once: unless something was lacking.
    """
    question = (leaf_der, carried, purpose, horizon.moment, horizon.proven, lenient)
    known = ground.stood.get(question)
    if known is not None:
        return known
    lacking = len(ground.lacks)
    path = chain_of(leaf_der, carried, purpose=purpose, horizon=horizon, ground=ground)
    found = unrevoked(path, carried, purpose=purpose, horizon=horizon, ground=ground, lenient=lenient)
    if len(ground.lacks) == lacking:
        ground.stood[question] = found
    return found


def chain_of(leaf_der: bytes, carried: tuple[bytes, ...], *, purpose: KeyPurpose, horizon: Horizon, ground: Ground) -> ValidatedPath:
    """The path to an anchor, valid at the horizon; `carried` are the certificates that came with it. Raises :class:`CheckFailedError`."""
    try:
        pool = ground.pool(carried)
        return validate_path(leaf_der, intermediates=pool, anchors=ground.anchors, at=horizon.moment, purpose=purpose, cache=ground.cache)
    except NoPathError as exc:
        offered = (*carried, *ground.embedded.certificates, *ground.supplied.certificates)
        ground.lacks.extend(_issuers_lacking(leaf_der, offered))
        raise CheckFailedError(_CHAIN[exc.reason], _CODES.get(exc.reason, f"CHAIN_{exc.reason.value}"), str(exc)) from exc
    except ValidityError as exc:
        raise _out_of_bounds(exc, horizon) from exc
    except ChainError as exc:
        raise CheckFailedError(_CHAIN[exc.reason], _CODES.get(exc.reason, f"CHAIN_{exc.reason.value}"), str(exc)) from exc
    except PkiError as exc:
        raise _malformed(exc) from exc


def _issuers_lacking(leaf_der: bytes, pool: tuple[bytes, ...]) -> list[Lack]:
    """The certificates above `leaf_der` as far as they are at hand; the last of them lacks its issuer."""
    one, seen = load_certificate(leaf_der), set[bytes]()
    by_subject = {found.subject: found for der in pool if (found := _readable(der)) is not None}
    while one.der not in seen and one.issuer != one.subject and (above := by_subject.get(one.issuer)) is not None:
        seen.add(one.der)
        one = above
    return [] if one.issuer == one.subject else [Lack(one, None)]


def _readable(der: bytes) -> Certificate | None:
    try:
        return load_certificate(der)
    except EncodingError:
        return None


def unrevoked(
    path: ValidatedPath,
    carried: tuple[bytes, ...],
    *,
    purpose: KeyPurpose,
    horizon: Horizon,
    ground: Ground,
    lenient: bool = False,
) -> Standing:
    """Nobody on `path` was revoked at the horizon. Raises :class:`CheckFailedError`.

    `lenient`: where nothing fresh says whether a certificate is revoked, and nothing says that it is, it counts as unrevoked.
    """
    inside = ground.certificates
    self_contained = all(certificate.der in inside or certificate.der in carried for certificate in path.certificates)
    archived = self_contained
    messages: list[Message] = []
    stale: list[str] = []
    for place, (certificate, issuer) in enumerate(path.pairs):
        role = CertificateRole.CA if place else CertificateRole.LEAF
        known = _query(certificate, issuer, ground.everything, role, purpose, horizon)
        _refuse_flood(known)
        _refuse_revoked(known, role, horizon)
        if known.revoked_at is not None:
            text = f"the {role.value} certificate was revoked at {rfc3339(known.revoked_at)}, after what is judged here was proven to exist"
            messages.append(Message("REVOKED_LATER", text))
        tier = _good_tier(certificate, issuer, known, role, purpose, horizon, ground)
        if tier is None or (not horizon.proven and purpose is KeyPurpose.DOCUMENT_SIGNING):
            # a signature that no time stamp dates may be younger than the evidence that its signer left in the document
            ground.lacks.append(Lack(certificate, issuer, dated=tier is not None))
        if tier is None and not lenient:
            raise _unknown(known, role, horizon)
        if tier is None:
            stale.append(role.value)
        self_contained = self_contained and tier is not None and tier.embedded
        archived = archived and tier is not None and tier.archived
    if stale:
        text = f"no revocation data of {rfc3339(horizon.moment)} for the archive time stamp ({', '.join(stale)}); nothing contradicts it"
        messages.append(Message("TSA_REVOCATION_NOT_FRESH", text))
    return Standing(path, self_contained, archived, tuple(messages))


def _query(
    certificate: Certificate, issuer: Certificate, tier: Tier, role: CertificateRole, purpose: KeyPurpose, horizon: Horizon
) -> RevocationResult:
    # a signer proven to have signed by a moment needs data from after it: what was issued before may have missed the revocation
    strict = horizon.proven and role is CertificateRole.LEAF and purpose is KeyPurpose.DOCUMENT_SIGNING
    try:
        freshness = ISSUED_AFTER if strict else UNTIL_NEXT_UPDATE
        return tier.witnesses.status(certificate, issuer, at=horizon.moment, freshness=freshness)
    except PkiError as exc:
        raise _malformed(exc) from exc


def _good_tier(
    certificate: Certificate,
    issuer: Certificate,
    known: RevocationResult,
    role: CertificateRole,
    purpose: KeyPurpose,
    horizon: Horizon,
    ground: Ground,
) -> Tier | None:
    """The first tier whose evidence says that the certificate was good, and was made by a key that had not expired before it was proven.

    `known` is what all evidence together says; an archive time stamp often covers the whole of it.
    """
    for tier in ground.tiers:
        same = tier.witnesses is ground.everything.witnesses
        result = known if same else _query(certificate, issuer, tier, role, purpose, horizon)
        if result.state is RevocationState.GOOD and (result.signer_not_after is None or tier.proven_by <= result.signer_not_after):
            return tier
    return None


def _refuse_flood(result: RevocationResult) -> None:
    """Where there is more evidence than is read, a revocation may hide among it, and no part of it counts as good news."""
    for message in result.messages:
        if message.code == "EVIDENCE_LIMIT":
            raise CheckFailedError(SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE, message.code, message.text)


def _refuse_revoked(result: RevocationResult, role: CertificateRole, horizon: Horizon) -> None:
    if result.state is RevocationState.ON_HOLD:
        again = f"; ask again after {rfc3339(result.next_update)}" if result.next_update else ""
        text = f"the {role.value} certificate is suspended since {rfc3339(result.revoked_at)}, and how that ends is not known{again}"
        raise CheckFailedError(SubIndication.TRY_LATER, "CERTIFICATE_ON_HOLD", text)  # EN 319 102-1 clause 5.2.6.4
    if result.state is not RevocationState.REVOKED:
        return
    text = f"the {role.value} certificate was revoked at {rfc3339(result.revoked_at)} ({result.reason or 'no reason given'})"
    if role is not CertificateRole.LEAF:
        raise CheckFailedError(SubIndication.REVOKED_CA_NO_POE, "CA_REVOKED", text)
    if horizon.proven:
        text += f"; the first proof that the signature exists is of {rfc3339(horizon.moment)}"
        raise CheckFailedError(SubIndication.REVOKED, "CERTIFICATE_REVOKED", text)
    raise CheckFailedError(SubIndication.REVOKED_NO_POE, "CERTIFICATE_REVOKED", f"{text}, and nothing proves a signature from before")


def _unknown(result: RevocationResult, role: CertificateRole, horizon: Horizon) -> CheckFailedError:
    why = result.messages[-1].text if result.messages else "the evidence at hand was made by a key that has expired since"
    return CheckFailedError(
        SubIndication.TRY_LATER,
        "REVOCATION_UNKNOWN",
        f"not known whether the {role.value} certificate was revoked by {rfc3339(horizon.moment)} ({why}); give its CRL or OCSP response",
    )


def _malformed(exc: PkiError) -> CheckFailedError:
    return CheckFailedError(SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE, "CHAIN_MALFORMED", f"certificates or revocation data: {exc}")


def _out_of_bounds(exc: ValidityError, horizon: Horizon) -> CheckFailedError:
    """EN 319 102-1 clause 5.5.4: existence proven before the certificate was valid is final; anything else lacks a proof of existence."""
    if exc.reason is ChainFailure.NOT_YET_VALID and exc.role is CertificateRole.LEAF and horizon.proven:
        return CheckFailedError(SubIndication.NOT_YET_VALID, "CERTIFICATE_NOT_YET_VALID", str(exc))
    code = "CERTIFICATE_EXPIRED" if exc.reason is ChainFailure.EXPIRED else "CERTIFICATE_NOT_YET_VALID"
    return CheckFailedError(SubIndication.OUT_OF_BOUNDS_NO_POE, code, str(exc))
