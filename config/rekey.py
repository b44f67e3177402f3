"""Another key for one of the house's own services, also where the service stands still for want of a certificate in force."""

from __future__ import annotations

from config.bootstrap import closing_on_error
from config.ceremony_mark import refuse_unfinished
from config.errors import ConfigError
from config.house_file import read_plan
from config.key_store import key_store_place
from config.log import log_sealer
from config.settings import Settings
from config.wiring import shipped_profiles
from db.certificates import Certificates
from db.engine import open_database
from db.leases import Leases
from db.schema import require_current
from pki.authority.establish import OCSP, REPORT, TSA, issuing_authorities
from pki.authority.rekey import Rekeyed, rekey
from pki.authority.rotation import AT_MOST, turn_name
from pki.issuing.certificate_life import COMPROMISE
from pki.issuing.urls import AuthorityUrls
from pki.keys.key_stores import open_key_store
from pki.ports import Clock

SERVICES = (TSA, OCSP, REPORT)


class StampsLostError(ConfigError):
    """The archive would lose its time stamps for nothing."""


class BusyServiceError(ConfigError):
    """Somebody else is giving the service a certificate at this moment."""


def rekey_service(settings: Settings, label: str, *, reason: str | None, clock: Clock, passphrase: str) -> Rekeyed:
    """A new key and certificate for a service of :data:`SERVICES`; those over the old key are revoked where `reason` is given.

    Raises :class:`StampsLostError`, :class:`BusyServiceError`, :class:`pki.errors.PkiError`, and as :func:`config.bootstrap.open_house`.
    """
    if label == TSA and reason is not None and reason not in COMPROMISE:
        raise StampsLostError(
            f"revoking the time-stamping certificate ({reason}) would keep every document that it stamped from being renewed;"
            " without a reason it stands until it ends, and nothing is stamped with it any more"
        )
    plan = read_plan(settings.house_file)
    refuse_unfinished(settings)
    keys = open_key_store(key_store_place(settings, plan), passphrase)
    database = open_database(settings.database_url)
    with closing_on_error(database):
        require_current(database)
        issuers = issuing_authorities(
            keys,
            Certificates(database),
            shipped_profiles(),
            clock=clock,
            urls=AuthorityUrls(plan.base_url),
            crl_shards=plan.crl_shards,
        )
        with Leases(database, clock=clock).turn(turn_name(label), at_most=AT_MOST) as ours:
            if not ours:
                raise BusyServiceError(f"the certificate of {label} is being renewed at this moment; try again in a minute")
            # an answer about a certificate is signed by its own issuer's responder; the others serve the newest issuer alone
            served = issuers if label == OCSP else issuers[:1]
            done = rekey(label, subject=plan.organization.subject(label), issuers=served, keys=keys, reason=reason)
        log_sealer(settings, plan, keys=keys, database=database).seal()
    database.close()
    return done
