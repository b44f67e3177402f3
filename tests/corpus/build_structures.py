"""Attack classes 39 and 40: XML that would expand or fetch, and ASN.1, certificates and evidence made to cost time.

XML in a document is never parsed here, and so neither expands nor fetches anything; what is signed with it is judged like any other octets.
"""

from __future__ import annotations

from cryptography.hazmat import asn1

from pki.structures import cms as c
from pki.structures.der import SEQUENCE, element
from signing.pdf.document import Document
from signing.pdf.objects import PdfObject
from tests.corpus.case import GoodFiles, case
from tests.corpus.cms import sound, with_certificates
from tests.corpus.edit import Name, Ref, Stream, body, root_number, update
from tests.corpus.stranger import signed, stranger
from tests.support.chain_cases import Node, root
from tests.support.signing_cases import foreign_pdf

XML = "design.md, Limits: XML without entities"
BOUNDS = "named limits of signing/ and pki/"
LEGACY: dict[str, PdfObject] = {"SubFilter": Name("adbe.pkcs7.detached")}
LAUGHS = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<!DOCTYPE lolz [<!ENTITY a "ha ha ha ha ha ha ha ha ha ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + level, (b"&%c;" % (97 + level)) * 10) for level in range(12))
    + b"]>\n<x:xmpmeta xmlns:x='adobe:ns:meta/'>&m;</x:xmpmeta>"
)
FETCH = (
    b'<?xml version="1.0"?><!DOCTYPE xdp [<!ENTITY passwd SYSTEM "file:///etc/passwd"><!ENTITY % far SYSTEM "http://127.0.0.1:9/x">%far;]>'
    b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template>&passwd;</template></xdp:xdp>'
)


def with_metadata(data: bytes, xml: bytes) -> bytes:
    """The catalog gets other XMP metadata."""
    document = Document.parse(data)
    number, fresh = root_number(document), document.size
    stream = Stream({"Type": Name("Metadata"), "Subtype": Name("XML")}, xml)
    return update(data, {number: {**body(document, number), "Metadata": Ref(fresh)}, fresh: stream})


def with_form(data: bytes, xml: bytes) -> bytes:
    """The catalog's form gets an XFA stream."""
    document = Document.parse(data)
    number, fresh = root_number(document), document.size
    catalog = body(document, number)
    form = document.get(catalog.get("AcroForm", {}))
    assert isinstance(form, dict)
    changed: PdfObject = {"Fields": [], **form, "XFA": Ref(fresh)}
    return update(data, {number: {**catalog, "AcroForm": changed}, fresh: Stream({}, xml)})


@case("39-laughs-signed", 39, clause=XML, reason="a billion laughs in XMP that was signed: inert octets", verdict="TOTAL-PASSED")
def laughs_signed(good: GoodFiles) -> bytes:
    return signed(document=with_metadata(foreign_pdf(), LAUGHS))


@case("39-external-entity-signed", 39, clause=XML, reason="an external entity in XFA that was signed: inert octets", verdict="TOTAL-PASSED")
def external_entity_signed(good: GoodFiles) -> bytes:
    return signed(document=with_form(foreign_pdf(), FETCH))


@case("39-laughs-after", 39, "CATALOG_CHANGED", clause=XML, reason="a billion laughs in XMP, put in after signing")
def laughs_after(good: GoodFiles) -> bytes:
    return with_metadata(good.archived, LAUGHS)


@case("39-external-entity-after", 39, "FORM_CHANGED", clause=XML, reason="an external entity in XFA, put in after signing")
def external_entity_after(good: GoodFiles) -> bytes:
    return with_form(good.archived, FETCH)


# --- 40: ASN.1


def deep(levels: int) -> bytes:
    """Valid DER: sequences in one another."""
    nested = b"\x05\x00"
    for _ in range(levels):
        nested = element(SEQUENCE, nested)
    return nested


@case("40-asn1-indefinite", 40, "CONTENTS_NOT_DER", clause="X.690 10.1", reason="7,000 nested elements without a length")
def indefinite(good: GoodFiles) -> bytes:
    return signed(cms=lambda _: b"\x30\x80" * 7_000)


@case("40-ber-deep", 40, "CONTENTS_NOT_DER", clause=BOUNDS, reason="the same in a form in which indefinite lengths are read")
def ber_deep(good: GoodFiles) -> bytes:
    return signed(cms=lambda _: b"\x30\x80" * 7_000, entries=LEGACY)


@case("40-ber-in-pades", 40, "CONTENTS_NOT_DER", clause="EN 319 142-1 6.3: DER", reason="a sound signature with an indefinite length")
def ber_in_pades(good: GoodFiles) -> bytes:
    return signed(cms=_indefinite)


@case("40-ber-trailing", 40, "CONTENTS_NOT_DER", clause="ISO 32000-2 12.8.3.3", reason="octets after a signature of indefinite length")
def ber_trailing(good: GoodFiles) -> bytes:
    return signed(cms=lambda content: _indefinite(content) + b"\x00MORE", entries=LEGACY)


@case(
    "40-ber",
    40,
    clause="as NSS writes it",
    reason="honest under ades: a legacy form of indefinite length",
    verdict="INDETERMINATE/SIG_CONSTRAINTS_FAILURE SUBFILTER_NOT_ACCEPTED",
    ades="TOTAL-PASSED",
)
def ber(good: GoodFiles) -> bytes:
    return signed(cms=_indefinite, entries=LEGACY)


def _indefinite(content: bytes) -> bytes:
    """A sound CMS whose outermost length is not told."""
    der = c.content_info_der(sound(content, stranger().signer, stranger().ca))
    assert der[1] == 0x82
    return b"\x30\x80" + der[4:] + b"\x00\x00"


@case("40-asn1-length", 40, "CONTENTS_NOT_DER", clause="X.690 10.1", reason="a length of 2^31 - 1")
def long_length(good: GoodFiles) -> bytes:
    return signed(cms=lambda content: b"\x30\x84\x7f\xff\xff\xff" + c.content_info_der(sound(content, stranger().signer))[4:])


@case(
    "40-asn1-length-inside", 40, clause="X.690 10.1", reason="a length of 2^31 inside", verdict="TOTAL-FAILED/FORMAT_FAILURE CMS_MALFORMED"
)
def long_length_inside(good: GoodFiles) -> bytes:
    return signed(cms=lambda _: element(SEQUENCE, b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x84\x80\x00\x00\x00" + bytes(50)))


@case("40-asn1-deep", 40, clause=BOUNDS, reason="sequences 1,500 deep", verdict="TOTAL-FAILED/FORMAT_FAILURE CMS_MALFORMED")
def deep_contents(good: GoodFiles) -> bytes:
    return signed(cms=lambda _: deep(1_500))


@case(
    "40-asn1-deep-attribute",
    40,
    clause=BOUNDS,
    reason="a signed attribute of sequences 1,500 deep; nobody needs it",
    verdict="TOTAL-PASSED",
)
def deep_attribute(good: GoodFiles) -> bytes:
    odd = c.attribute(c.OID("1.3.6.1.4.1.32473.9.1"), deep(1_500))
    return signed(cms=lambda content: sound(content, stranger().signer, stranger().ca, signed_attributes=[odd]))


@case(
    "40-asn1-deep-evidence",
    40,
    clause=BOUNDS,
    reason="sequences 20,000 deep among sound revocation data; pyHanko gives up, and what only one verifier can read does not pass",
    verdict="INDETERMINATE/SIG_CONSTRAINTS_FAILURE SECOND_OPINION_DISAGREES",
)
def deep_evidence(good: GoodFiles) -> bytes:
    return signed(crls=(deep(20_000), stranger().root_crl, stranger().ca_crl), ocsps=(deep(20_000),), more=(deep(2_000),))


# --- 40: certificates


def _layers(top: Node, *, layers: int, width: int) -> tuple[Node, list[bytes]]:
    """`width` ** `layers` paths: in each layer certificates of one name and key, each valid below each of the layer above."""
    parents, offered = [top], list[bytes]()
    for layer in range(layers):
        first = parents[0].ca(f"Layer {layer}")
        parents = [first, *(parents[0].ca(f"Layer {layer}", subject_key=first.key) for _ in range(width - 1))]
        offered += [one.der for one in parents]
    return parents[0], offered


@case(
    "40-path-bomb",
    40,
    clause=BOUNDS,
    reason="10 ** 12 paths that lead to no anchor",
    verdict="INDETERMINATE/CERTIFICATE_CHAIN_GENERAL_FAILURE CHAIN_LIMIT",
)
def path_bomb(good: GoodFiles) -> bytes:
    issuer, offered = _layers(root("Elsewhere"), layers=12, width=10)
    return signed(issuer.issue("Signer"), issuer, more=offered)


@case(
    "40-path-bomb-anchored",
    40,
    clause=BOUNDS,
    reason="paths without number that lead to the anchor, none of them valid",
    verdict="INDETERMINATE/CERTIFICATE_CHAIN_GENERAL_FAILURE CHAIN_LIMIT",
)
def path_bomb_anchored(good: GoodFiles) -> bytes:
    issuer, offered = _layers(stranger().root.ca("Bottom", path_length=0), layers=7, width=8)
    above = stranger().root
    return signed(issuer.issue("Signer"), issuer, more=[*offered, above.der])


@case(
    "40-crowd-in-signature",
    40,
    clause=BOUNDS,
    reason="70 certificates in one signature",
    verdict="TOTAL-FAILED/FORMAT_FAILURE CMS_TOO_MANY_CERTIFICATES",
)
def crowd_in_signature(good: GoodFiles) -> bytes:
    crowd = [stranger().ca.issue(f"Crowd {number}", subject_key=stranger().signer.key).der for number in range(70)]
    make = lambda content: with_certificates(sound(content, stranger().signer), [stranger().signer.der, *crowd])  # noqa: E731 (one use)
    return signed(cms=make, room=60_000)


@case(
    "40-evidence-flood",
    40,
    clause=BOUNDS,
    reason="600 CRLs, among which a revocation could hide",
    verdict="INDETERMINATE/CERTIFICATE_CHAIN_GENERAL_FAILURE EVIDENCE_LIMIT",
)
def evidence_flood(good: GoodFiles) -> bytes:
    junk = [asn1.encode_der(number) for number in range(600)]
    return signed(crls=(*junk, stranger().root_crl, stranger().ca_crl), stamper=False)
