"""`/api/v1/certificates`: a school's program asks for certificates over keys that its staff keep, and looks up its own people's."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import APIRouter, Depends, Query
from fastapi import Path as PathParameter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.access import Access, Caller, person_of
from config.house import House
from pki.ports import CertificateEntry, CertificateState
from pki.registration.approval import Request, RequestState
from pki.registration.certification_request import MAX_REQUEST, read_certification_request
from records.enrolment import seal_holder
from records.errors import EnrolmentError, NotFoundError
from records.own_keys import KeyApplication, OwnKeys
from records.person import Person

SEAL = "seal"  # in place of a roster id: the school's own seal
HOLDER = Query(min_length=1, max_length=200, description=f"roster id, or {SEAL!r} for the school's own seal")


class CertificateOrder(BaseModel):
    """A person of the caller's school and a PKCS#10 request (PEM) signed with the key that they keep."""

    model_config = ConfigDict(extra="forbid")

    holder: str = Field(min_length=1, max_length=200)
    csr_pem: str = Field(min_length=1, max_length=MAX_REQUEST)


class CertificateView(BaseModel):
    """A certificate in the authority's books. `serial` is lower-case hexadecimal."""

    serial: str
    profile: str
    holder: str
    state: CertificateState
    not_before: datetime
    not_after: datetime
    issued_at: datetime | None
    revoked_at: datetime | None
    revocation_reason: str | None
    certificate_pem: str | None

    @classmethod
    def of(cls, entry: CertificateEntry) -> CertificateView:
        der = entry.certificate_der
        return cls(
            serial=f"{entry.serial:x}",
            profile=entry.profile,
            holder=entry.holder,
            state=entry.state,
            not_before=entry.not_before,
            not_after=entry.not_after,
            issued_at=entry.issued_at,
            revoked_at=entry.revoked_at,
            revocation_reason=entry.revocation_reason,
            certificate_pem=x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode() if der else None,
        )


class RequestView(BaseModel):
    """A request that waits for a second person."""

    request: str
    state: RequestState
    approvals: int
    needed: int
    expires_at: datetime

    @classmethod
    def of(cls, request: Request) -> RequestView:
        return cls(
            request=request.id,
            state=request.state,
            approvals=len(request.approvals),
            needed=request.needed,
            expires_at=request.expires_at,
        )


def certificate_routes(house: House, access: Access) -> APIRouter:
    router = APIRouter(prefix="/api/v1/certificates", tags=["certificates"])
    books, issuing = house.stores.certificates, house.authority.issuing
    registration = house.services.registration
    own_keys = OwnKeys(issuing, house.stores.roster, registration)
    caller_of = Depends(access)

    @router.post("", status_code=HTTPStatus.CREATED, response_model=CertificateView, summary="Certify a key that its holder keeps")
    def order(wanted: CertificateOrder, caller: Caller = caller_of) -> JSONResponse | CertificateView:
        """Subject and role come from the roster. The same key asked for again gives the certificate that stands, with status 200.

        Where the authority's policy asks for a second person's approval: status 202 with the request to be approved; then ask again.
        """
        who = _accepted(house, caller, wanted.holder)
        key = read_certification_request(wanted.csr_pem.encode("utf-8", "replace"))
        application = KeyApplication(who, caller.school, key)
        found = own_keys.look(application)
        if found.entry is not None:
            return JSONResponse(CertificateView.of(found.entry).model_dump(mode="json"))
        request = registration.open_for_program(found.order, key_id=caller.key.id)
        entry = own_keys.issue(application, request)
        if entry is None:
            return JSONResponse(RequestView.of(request).model_dump(mode="json"), HTTPStatus.ACCEPTED)
        return CertificateView.of(entry)

    @router.get("", response_model=list[CertificateView], summary="A person's certificates, oldest first")
    def of_holder(caller: Caller = caller_of, holder: str = HOLDER) -> list[CertificateView]:
        name = seal_holder(caller.school) if holder == SEAL else person_of(house, caller, holder).id
        return [CertificateView.of(entry) for entry in books.of_holder(name)]

    @router.get("/{serial}", response_model=CertificateView, summary="One certificate by its serial number")
    def by_serial(caller: Caller = caller_of, serial: str = PathParameter(pattern="^[0-9a-f]{1,40}$")) -> CertificateView:
        found = (books.get(issuer.name, int(serial, 16)) for issuer in house.authority.issuers)
        entry = _known(next((entry for entry in found if entry is not None), None))
        return CertificateView.of(entry if _is_own(house, caller, entry.holder) else _known(None))

    return router


def _accepted(house: House, caller: Caller, holder: str) -> Person:
    """With their code; raises EnrolmentError for a blocked person."""
    person_of(house, caller, holder)
    if any(entry.person.id == holder for entry in house.stores.roster.blocked(school_id=caller.school.id)):
        raise EnrolmentError(f"{holder} is on the blocked list; correct the personal code in the roster first")
    return house.services.roster.person(holder)


def _is_own(house: House, caller: Caller, holder: str) -> bool:
    """Another school's certificate is as good as none for this caller."""
    try:
        return holder == seal_holder(caller.school) or bool(person_of(house, caller, holder))
    except NotFoundError:
        return False


def _known(entry: CertificateEntry | None) -> CertificateEntry:
    if entry is None:
        raise NotFoundError("no certificate of that serial number")
    return entry
