"""Documents to sign, and a house that signs them: a canonical record in small, foreign PDFs, time stamps and revocation data in memory."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import pikepdf
import typst
from pikepdf import Array, Dictionary

from pki.ports import KeyStore
from pki.status.crl import CrlSigner
from pki.status.evidence import InProcessValidationData
from pki.status.ocsp import OcspResponder
from pki.status.timestamp import TimeStampAuthority
from records.form import with_signature_fields
from signing.applying.appearance import Appearance
from signing.applying.sign import SignatureRequest
from signing.fonts import fonts_path
from signing.workflow import Manifest, Workflow
from tests.support.authority import BASE_URL, MOMENT, SCHOOL, SCHOOL_IDENTIFIER, Credential, TestAuthority, make_authority

WORKFLOW = Workflow.from_mapping(
    {
        "id": "school-record/1",
        "steps": [
            {"id": "homeroom", "role": "teacher", "field": "Signature-Homeroom"},
            {"id": "principal", "role": "principal", "field": "Signature-Principal"},
            {"id": "seal", "role": "school-seal", "field": "Signature-Seal", "seal": True},
        ],
    }
)
MANIFEST = Manifest(record_id="R-0001", version=1, school_identifier=SCHOOL_IDENTIFIER, workflow=WORKFLOW)

_SOURCE = """
#set page(width: 400pt, height: 300pt, margin: 20pt)
#set document(title: "Học bạ")
#set text(font: "Noto Sans", lang: "vi", size: 10pt)
= Học bạ
#for number in range(1, 40) [Môn #number: #(number / 4) điểm. ]
#pagebreak()
Chữ ký
#for field in ("Homeroom", "Principal", "Seal") [
  #link("eduseal-field:Signature-" + field, box(width: 200pt, height: 60pt, stroke: 0.3pt))
]
"""


@cache
def canonical_pdf(seed: int = 0) -> bytes:
    """A tagged PDF of two pages with the fields of :data:`WORKFLOW`, in the shape that the exporter gives records."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts_path())])
    source = (_SOURCE + f"\nTờ số {seed}").encode()
    typeset = typst.Compiler(source, font_paths=fonts).compile(format="pdf", pdf_standards="a-3b", timestamp=0)
    return with_signature_fields(typeset, WORKFLOW, labels={step.id: step.id for step in WORKFLOW.steps})


@cache
def foreign_pdf(*, object_streams: bool = False, form: str = "none", linearize: bool = False) -> bytes:
    """Someone else's PDF of one page. `form` is "none", "direct" (an empty form in the catalog) or "indirect" (all of it by reference)."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(300, 200))
    pdf.pages[0].Contents = pdf.make_stream(b"0.5 g 10 10 100 50 re f")
    if form == "direct":
        pdf.Root.AcroForm = Dictionary(Fields=Array([]))
    elif form == "indirect":
        pdf.Root.AcroForm = pdf.make_indirect(Dictionary(Fields=pdf.make_indirect(Array([]))))
        pdf.pages[0].Annots = pdf.make_indirect(Array([]))
    out = io.BytesIO()
    mode = pikepdf.ObjectStreamMode.generate if object_streams else pikepdf.ObjectStreamMode.disable
    pdf.save(out, object_stream_mode=mode, deterministic_id=True, linearize=linearize)
    return out.getvalue()


def encrypted_pdf() -> bytes:
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(300, 200))
    out = io.BytesIO()
    pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user=""))
    return out.getvalue()


@dataclass(frozen=True)
class SigningHouse:
    """An authority with a teacher, a principal and a seal of one school, its time stamps and its revocation data."""

    authority: TestAuthority
    teacher: Credential
    principal: Credential
    seal: Credential
    tsa: TimeStampAuthority
    evidence: InProcessValidationData

    @property
    def chain(self) -> tuple[bytes, ...]:
        return (self.authority.issuing_der,)

    def request(self, step: str, **changes: object) -> SignatureRequest:
        """What the signer of a step of :data:`WORKFLOW` asks for."""
        credential = {"homeroom": self.teacher, "principal": self.principal, "seal": self.seal}[step]
        role = {"homeroom": "Giáo viên chủ nhiệm", "principal": "Hiệu trưởng", "seal": "Con dấu điện tử"}[step]
        values: dict[str, object] = {
            "field": next(s.field for s in WORKFLOW.steps if s.id == step),
            "certificate_der": credential.certificate_der,
            "chain": self.chain,
            "key": credential.key,
            "claimed_time": self.authority.clock(),
            "appearance": Appearance(name=credential.subject.common_name, role=role, organization=SCHOOL if step != "seal" else ""),
        }
        return SignatureRequest(**{**values, **changes})  # type: ignore[arg-type]


def make_signing_house(at: datetime = MOMENT, keys: KeyStore | None = None) -> SigningHouse:
    """A fresh house whose clock stands at `at`. Programs that look at the machine's clock want one of now."""
    authority = make_authority(at, keys=keys)
    responder = OcspResponder(
        issuers={"issuing": authority.issuing_der},
        certificate_der=authority.ocsp_der,
        key=authority.ocsp_key,
        store=authority.store,
        clock=authority.clock,
    )
    root_crl = CrlSigner(
        issuer="root",
        issuer_certificate_der=authority.root_der,
        key=authority.root_key,
        store=authority.store,
        clock=authority.clock,
        shards=1,
        base_url=BASE_URL,
    )
    tsa = TimeStampAuthority(
        certificate_der=authority.tsa_der,
        chain=(authority.issuing_der,),
        key=authority.tsa_key,
        policy_oid="1.3.6.1.4.1.32473.1.2.1",
        clock=authority.clock,
    )
    return SigningHouse(
        authority=authority,
        teacher=authority.issue_teacher("Nguyễn Thị Ánh"),
        principal=authority.issue_principal("Lê Văn Minh"),
        seal=authority.issue_seal(),
        tsa=tsa,
        evidence=InProcessValidationData(responders=(responder,), crl_signers=(root_crl,), clock=authority.clock),
    )
