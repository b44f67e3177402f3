"""A house that is not ours: a chain under a root that the verifier trusts, whose every part can be wrong on purpose.

Its signers sign a foreign PDF. Everything that a verdict needs is in the file: certificates, a time stamp, revocation data. So one thing at
a time can be wrong, and nothing but the anchor is given from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from pki.keys.softkey import SoftwareKey
from pki.structures.algorithms import Digest
from pki.structures.cms import SIGNATURE_TIME_STAMP, SignedData, attribute, content_info_der, with_unsigned_attributes
from signing.applying.dss import ValidationData, add_validation_data
from signing.pdf.objects import PdfObject
from tests.corpus.cms import sound
from tests.corpus.raw_sign import add_signature
from tests.support.authority import MOMENT
from tests.support.chain_cases import TIME_STAMPING, Node, answer, crl, responder, root
from tests.support.signing_cases import foreign_pdf
from tests.support.tokens import ForgedStamper

STAMPED = MOMENT + timedelta(hours=1)
"""When the stranger's time stamps say that they were made; evidence is an hour younger."""
EVIDENCE = MOMENT + timedelta(hours=2)


@dataclass(frozen=True)
class Stranger:
    """The root signs for a CA, which signs for everybody else."""

    root: Node
    ca: Node
    signer: Node
    tsa: Node
    responder: Node

    @property
    def root_crl(self) -> bytes:
        return crl(self.root, this_update=EVIDENCE)

    @property
    def ca_crl(self) -> bytes:
        return crl(self.ca, this_update=EVIDENCE)

    @property
    def answer(self) -> bytes:
        """An honest OCSP response about the signer."""
        return answer(self.signer, self.ca, signer=self.responder, this_update=EVIDENCE)

    def stamper(self, **changes: object) -> ForgedStamper:
        given: dict[str, object] = {
            "certificate_der": self.tsa.der,
            "key": SoftwareKey(self.tsa.key),
            "chain": (self.ca.der,),
            "clock": lambda: STAMPED,
        }
        return ForgedStamper(**{**given, **changes})  # type: ignore[arg-type]  # a case changes any of them


@cache
def stranger() -> Stranger:
    top = root("Corpus Root")
    ca = top.ca("Corpus CA")
    return Stranger(
        root=top,
        ca=ca,
        signer=ca.issue("Honest Signer"),
        tsa=ca.issue("Corpus TSA", usage=("digital_signature",), extended=(TIME_STAMPING,), extended_critical=True),
        responder=responder(ca),
    )


Cms = Callable[[bytes], SignedData | bytes]
"""From the octets that are signed to the CMS over them."""


def signed(
    signer: Node | None = None,
    *above: Node,
    cms: Cms | None = None,
    stamper: ForgedStamper | bool | None = True,
    crls: Sequence[bytes] | None = None,
    ocsps: Sequence[bytes] = (),
    document: bytes | None = None,
    entries: Mapping[str, PdfObject] | None = None,
    name: str = "Signature-1",
    more: Sequence[bytes] = (),
    **pdf: Any,
) -> bytes:
    """A file signed by `signer`, whose issuers are `above`, nearest first and without the root; then its validation data.

    `more` are certificates that go into the validation data, `pdf` what else :func:`add_signature` takes.

    `cms` makes the CMS in place of :func:`tests.corpus.cms.sound`. `stamper` False leaves the time stamp out. `crls`: those of the root and
    the CA unless given.
    """
    house = stranger()
    by, between = (signer or house.signer), (above or (house.ca,))
    stamps = house.stamper() if stamper is True else stamper or None

    def contents(content: bytes) -> bytes:
        made = cms(content) if cms else sound(content, by, *between)
        if isinstance(made, bytes):
            return made
        if stamps is not None:
            for info in made.signer_infos.as_list()[:1]:
                token = stamps.stamp(Digest.SHA256.of(info.signature))
                if len(made.signer_infos.as_list()) == 1:
                    made = with_unsigned_attributes(made, [attribute(SIGNATURE_TIME_STAMP, token)])
        return content_info_der(made)

    whole = add_signature(document or foreign_pdf(), contents, name=name, entries=entries, **pdf)
    known = (house.root_crl, house.ca_crl) if crls is None else tuple(crls)
    if not known and not ocsps:
        return whole
    return add_validation_data(whole, ValidationData((*(node.der for node in between), *more), tuple(known), tuple(ocsps)))
