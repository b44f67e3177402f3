"""What certificates point to: issuers' certificates (`/ca`) and revocation lists (`/crl`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from api.crl_shelf import CrlShelf, NoCurrentListError, ShelvedCrl
from api.errors import Problem
from config.house import House

MAX_SHARD = 1_000_000
ONE_HOUR = 3600
LIST_FRESH = 60  # seconds that caches may keep a list: a new one may come at any moment


def publication_routes(house: House, crls: CrlShelf) -> APIRouter:
    router = APIRouter(tags=["authority"])
    issuers = house.authority.published()

    @router.get("/ca/{name}.cer", summary="An issuer's certificate, DER")
    def certificate_der(name: str) -> Response:
        return Response(_known(issuers, name), media_type="application/pkix-cert", headers=_cached(ONE_HOUR))

    @router.get("/ca/{name}.chain.pem", summary="An issuer's certificate and those above it, PEM, the root last")
    def chain_pem(name: str) -> Response:
        pems = (one.public_bytes(Encoding.PEM) for one in _chain(_known(issuers, name), issuers))
        return Response(b"".join(pems), media_type="application/x-pem-file", headers=_cached(ONE_HOUR))

    @router.get("/ca/{name}.pem", summary="An issuer's certificate, PEM")
    def certificate_pem(name: str) -> Response:
        pem = x509.load_der_x509_certificate(_known(issuers, name)).public_bytes(Encoding.PEM)
        return Response(pem, media_type="application/x-pem-file", headers=_cached(ONE_HOUR))

    @router.get("/ca", summary="The authority's certificates, with their fingerprints")
    def certificates() -> JSONResponse:
        """SHA-256 of the DER, as `openssl x509 -fingerprint -sha256` prints it. Compare the root's with one that you got another way."""
        return JSONResponse([_told(name, der) for name, der in issuers.items()], headers=_cached(ONE_HOUR))

    @router.get("/crl/{issuer}/{shard}.crl", summary="A shard of an issuer's revocation list, DER")
    def revocation_list(request: Request, issuer: str, shard: int = Path(ge=0, le=MAX_SHARD)) -> Response:
        try:
            found = crls.get(issuer, shard)
        except NoCurrentListError as exc:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "no-current-list", str(exc), {"Retry-After": "60"}) from exc
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "not-found", "there is no revocation list of that issuer and shard")
        headers = _list_headers(found, house.clock())
        if _holds(request, found):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(found.der, media_type="application/pkix-crl", headers=headers)

    return router


def _known(issuers: dict[str, bytes], name: str) -> bytes:
    if name not in issuers:
        raise Problem(HTTPStatus.NOT_FOUND, "not-found", f"there is no issuer of that name; expected {' or '.join(issuers)}")
    return issuers[name]


def _chain(der: bytes, issuers: dict[str, bytes]) -> list[x509.Certificate]:
    """The certificate and, unless it is one itself, the root above it: issuing authorities stand directly below."""
    by_subject = {one.subject: one for one in map(x509.load_der_x509_certificate, issuers.values()) if one.subject == one.issuer}
    found = [x509.load_der_x509_certificate(der)]
    if found[0].subject != found[0].issuer and (root := by_subject.get(found[0].issuer)) is not None:
        found.append(root)
    return found


def _told(name: str, der: bytes) -> dict[str, str | bool]:
    certificate = x509.load_der_x509_certificate(der)
    return {
        "name": name,
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "root": certificate.subject == certificate.issuer,
        "serial": f"{certificate.serial_number:x}",
        "not_before": certificate.not_valid_before_utc.isoformat().replace("+00:00", "Z"),
        "not_after": certificate.not_valid_after_utc.isoformat().replace("+00:00", "Z"),
        "sha256": certificate.fingerprint(SHA256()).hex(":").upper(),
        "certificate": f"/ca/{name}.pem",
        "chain": f"/ca/{name}.chain.pem",
    }


def _cached(seconds: int) -> dict[str, str]:
    return {"Cache-Control": f"public, max-age={seconds}"}


def _list_headers(found: ShelvedCrl, now: datetime) -> dict[str, str]:
    """Caches ask again after a minute, and never hand out a list past its nextUpdate."""
    left = max(0, int((found.state.next_update - now).total_seconds()))
    return {
        "Cache-Control": f"public, max-age={min(LIST_FRESH, left)}, must-revalidate",
        "ETag": f'"{found.etag}"',
        "Last-Modified": format_datetime(found.state.this_update, usegmt=True),
        "Expires": format_datetime(min(now + timedelta(seconds=LIST_FRESH), found.state.next_update), usegmt=True),
    }


def _holds(request: Request, found: ShelvedCrl) -> bool:
    """Whether the asker has this very list already (RFC 9110 section 13.1.2); dates are not compared, two lists may share a second."""
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in request.headers.get("if-none-match", "").split(","))
    return found.etag in tags
