"""What certificates point to: issuers' certificates (`/ca`) and revocation lists (`/crl`)."""

from __future__ import annotations

from http import HTTPStatus

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import APIRouter, Path, Response

from api.crl_shelf import REFRESH, CrlShelf
from api.errors import Problem
from config.house import House

MAX_SHARD = 1_000_000
ONE_HOUR = 3600


def publication_routes(house: House, crls: CrlShelf) -> APIRouter:
    router = APIRouter(tags=["authority"])
    issuers = {each.name: each.certificate_der for each in (house.authority.root, house.authority.issuing)}

    @router.get("/ca/{name}.cer", summary="An issuer's certificate, DER")
    def certificate_der(name: str) -> Response:
        return Response(_known(issuers, name), media_type="application/pkix-cert", headers=_cached(ONE_HOUR))

    @router.get("/ca/{name}.pem", summary="An issuer's certificate, PEM")
    def certificate_pem(name: str) -> Response:
        pem = x509.load_der_x509_certificate(_known(issuers, name)).public_bytes(Encoding.PEM)
        return Response(pem, media_type="application/x-pem-file", headers=_cached(ONE_HOUR))

    @router.get("/crl/{issuer}/{shard}.crl", summary="A shard of an issuer's revocation list, DER")
    def revocation_list(issuer: str, shard: int = Path(ge=0, le=MAX_SHARD)) -> Response:
        found = crls.get(issuer, shard)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "not-found", "there is no revocation list of that issuer and shard")
        return Response(found.der, media_type="application/pkix-crl", headers=_cached(int(REFRESH.total_seconds())))

    return router


def _known(issuers: dict[str, bytes], name: str) -> bytes:
    if name not in issuers:
        raise Problem(HTTPStatus.NOT_FOUND, "not-found", f"there is no issuer of that name; expected {' or '.join(issuers)}")
    return issuers[name]


def _cached(seconds: int) -> dict[str, str]:
    return {"Cache-Control": f"public, max-age={seconds}"}
