"""`eduseal sign`: any PDF under a school's seal, brought to B-LTA, or under the caller's own key. Sealing records goes another way."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._input import read_input
from cli._output import taken, write_output
from cli._own_key import OwnKeyOrder, sign_with_own_key
from cli._verify_table import printable
from cli.main import UsageError
from config.house import House
from config.signers import seal_signer
from signing.applying.archive import archive
from signing.applying.form import signature_fields
from signing.applying.sign import SignatureRequest
from signing.applying.sign import sign as sign_document
from signing.errors import EncryptedPdfError, RefusedDocumentError, WorkflowError
from signing.inspection.inspect import inspect
from signing.pdf.document import Document
from signing.verifying.manifest import find_manifest

HINT = "name another file with --to"
MAX_PDF = 100 * 1024 * 1024  # octets
REFUSED = 1
SEAL_FIELD = "Seal"


def command(
    file: Annotated[str, typer.Argument(metavar="FILE.pdf", help="The document.", show_default=False)],
    to: Annotated[str, typer.Option(metavar="FILE", help="Where the signed document goes.")],
    seal: Annotated[str | None, typer.Option(metavar="SCHOOL", help="Roster id of the school whose seal signs.")] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Your own key: a PKCS#12 file, or pkcs11:token=NAME;object=LABEL?module-path=…")
    ] = None,
    secret_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="With --key, first line: its passphrase or PIN; - is a line of standard input.")
    ] = None,
    certificate: Annotated[
        str | None, typer.Option(metavar="PEM", help="With --key: its certificate, where it does not lie beside it.")
    ] = None,
    chain: Annotated[str | None, typer.Option(metavar="PEM", help="With --key: issuers' certificates that do not lie beside it.")] = None,
    tsa: Annotated[str | None, typer.Option(metavar="URL", help="With --key: the time-stamp authority to ask (RFC 3161).")] = None,
    tsa_trust: Annotated[str | None, typer.Option(metavar="PEM", help="With --tsa: the root that its time stamps must lead to.")] = None,
    step: Annotated[str | None, typer.Option(metavar="STEP", help="With --key, of a record: the workflow's step that is signed.")] = None,
    field: Annotated[str | None, typer.Option(metavar="NAME", help="The signature field; made, invisible, where there is none.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why it is signed, as readers of the PDF see it.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Sign a PDF with a school's seal, or with your own key.

    With --seal the result is at level B-LTA. The seal's key lies in the key store: whoever has the passphrase seals. A record of the house
    is refused: `eduseal record seal` knows who must have signed before.

    With --key no home is needed: a teacher signs on their own machine, and the key stays there. The result is at level B-B, or B-T with
    --tsa; of a record, verifiers ask for B-T. The network is used for --tsa alone.

    The result is there whole or not at all, and no file is replaced.
    Exit status 1 where the document holds what is never signed, such as scripts, hidden pages or fillable fields: standard error names it.
    """
    if (seal is None) == (key is None):
        raise UsageError("name whose key signs: --seal SCHOOL, or --key FILE.p12 for your own; one of the two")
    pdf = read_input(file, limit=MAX_PDF)
    if Path(to).exists():
        raise taken(to, HINT)
    try:
        document = Document.parse(pdf)
        inspect(document)
    except RefusedDocumentError as exc:
        return _refused(file, exc)
    except EncryptedPdfError as exc:
        return _refused(file, RefusedDocumentError("encryption", str(exc)))
    if key is not None:
        order = OwnKeyOrder(key, secret_file, certificate, chain, step, field, reason, tsa, tsa_trust)
        write_output(to, sign_with_own_key(pdf, order), hint=HINT)
        return 0
    field = field or SEAL_FIELD
    _require_sealable(file, document, field)
    with opened(home, database_url, passphrase_file) as house:
        sealed = _sealed(house, pdf, seal or "", field, reason)
    write_output(to, sealed, hint=HINT)
    print(f"It is no record, so check it as one verifies any signed document: eduseal verify {to} --policy ades", file=sys.stderr)
    return 0


def _refused(file: str, why: RefusedDocumentError) -> int:
    print(f"eduseal: {printable(file)}: {why}", file=sys.stderr)
    return REFUSED


def _require_sealable(file: str, document: Document, field: str) -> None:
    """Raises :class:`signing.errors.WorkflowError` for a record, and where sealing would change what is signed already."""
    if find_manifest(document, 0) is not None:
        raise WorkflowError(f"{file} is a record with a workflow of its own; seal it with `eduseal record seal`")
    fields = list(signature_fields(document))
    if any(each.signed for each in fields) and not any(each.name == field for each in fields):
        # a field made now would be a change after those signatures, which strict verifiers refuse
        raise WorkflowError(f"{file} is signed already and has no empty field {field!r}; seal the unsigned document instead")


def _sealed(house: House, pdf: bytes, school: str, field: str, reason: str | None) -> bytes:
    signer = seal_signer(house, house.stores.roster.school(school))
    request = SignatureRequest(
        field=field,
        certificate_der=signer.certificate_der,
        chain=signer.chain,
        key=signer.key,
        claimed_time=house.clock(),
        reason=reason,
        appearance=signer.appearance,
        create=True,
    )
    signed = sign_document(pdf, request, time_stamper=house.tsa)
    return archive(signed, time_stamper=house.tsa, validation=house.evidence)
