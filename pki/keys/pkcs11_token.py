"""One PKCS#11 token as this process sees it: logged in, asked by label, and found again after it was lost.

    token = Token(place, pin)
    token.generate_pair("eduseal/issuing", ec_params)
    rs = token.sign("eduseal/issuing", digest)

The only file that knows python-pkcs11. What belongs to the process rather than to a caller is kept here by process id, because Cryptoki
keeps it so: whether a module is initialized, and who is logged in. A child made by fork must start both anew (PKCS#11 2.40 section 5.4).

python-pkcs11 initializes modules without CKF_OS_LOCKING_OK: a module may then assume that one thread calls it at a time, and SoftHSM does.
So every call into a module holds its lock; more at once takes more processes.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, PKCS11Error, exceptions

from pki.errors import KeyNotFoundError, KeyStoreError, WrongSecretError
from pki.keys.key_store_uri import TOKEN_ATTRIBUTES, TokenPlace
from pki.keys.passphrase import VARIABLE

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib as Library  # noqa: N812 (the class is named so)

GCM_TAG_OCTETS = 16
# Seconds before each attempt. Tokens that came since show only when the module starts anew; and SoftHSM writes a token's file at every
# login, so that another process that starts in that moment does not see the token.
PAUSES = (None, 0.0, 0.02, 0.1, 0.3)
_KINDS = {ObjectClass.PRIVATE_KEY: "key", ObjectClass.PUBLIC_KEY: "public half of key", ObjectClass.SECRET_KEY: "secret key"}

Result = TypeVar("Result")

# nothing of this is left to a token's defaults: made there, never to leave, and good for one purpose
_STAYS = {Attribute.TOKEN: True, Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
_PRIVATE = _STAYS | {Attribute.SIGN: True, Attribute.DECRYPT: False, Attribute.UNWRAP: False, Attribute.DERIVE: False}
_PUBLIC = {Attribute.TOKEN: True, Attribute.VERIFY: True, Attribute.ENCRYPT: False, Attribute.WRAP: False}
_SECRET = _STAYS | {
    Attribute.ENCRYPT: True,
    Attribute.DECRYPT: True,
    Attribute.WRAP: False,
    Attribute.UNWRAP: False,
    Attribute.SIGN: False,
    Attribute.VERIFY: False,
    Attribute.DERIVE: False,
}
_STAYED = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.ALWAYS_SENSITIVE: True, Attribute.NEVER_EXTRACTABLE: True}

_NEEDED = {Mechanism.EC_KEY_PAIR_GEN, Mechanism.ECDSA, Mechanism.AES_KEY_GEN, Mechanism.AES_GCM}
_WRONG_PIN = (exceptions.PinIncorrect, exceptions.PinInvalid, exceptions.PinLenRange)
_NO_PIN = (exceptions.PinLocked, exceptions.PinExpired, exceptions.UserPinNotInitialized)
_LOST = (
    exceptions.DeviceError,
    exceptions.DeviceMemory,
    exceptions.DeviceRemoved,
    exceptions.FunctionFailed,
    exceptions.GeneralError,
    exceptions.KeyHandleInvalid,
    exceptions.ObjectHandleInvalid,
    exceptions.OperationActive,
    exceptions.SessionClosed,
    exceptions.SessionHandleInvalid,
    exceptions.SlotIDInvalid,
    exceptions.TokenNotPresent,
    exceptions.TokenNotRecognised,
    exceptions.UserNotLoggedIn,
)
# what tokens say of a GCM tag that does not hold: the standard's answers, and SoftHSM's general error
_NOT_AUTHENTIC = (exceptions.EncryptedDataInvalid, exceptions.EncryptedDataLenRange, exceptions.FunctionFailed, exceptions.GeneralError)


class TokenLostError(KeyStoreError):
    """The token is not there, or went away while it was needed."""


class PinBlockedError(KeyStoreError):
    """The token takes no PIN: locked after wrong ones, expired, or never set."""


class LabelTakenError(KeyStoreError):
    """The token holds a key of that label; it was not touched."""


@dataclass(eq=False)
class _Login:
    """A session, with the handles found in it by class and label. Not alive once its module was initialized again."""

    session: pkcs11.Session
    pin: str = field(repr=False)
    handles: dict[tuple[ObjectClass, str], pkcs11.Object] = field(default_factory=dict)
    alive: bool = True


class _Module:
    """A PKCS#11 module in this process, with its logins by slot: Cryptoki logs a whole process in, not a session."""

    def __init__(self, path: Path, *, inherited: bool) -> None:
        self.lock = RLock()
        self._path, self._inherited = path, inherited
        self._library: Library | None = None
        self._logins: dict[int, _Login] = {}

    def login(self, place: TokenPlace, pin: str) -> _Login:
        """Hold the lock. Raises TokenLostError, WrongSecretError or KeyStoreError."""
        token = self._find(place)
        if token is None:
            seen = ", ".join(sorted(repr(each.label) for each in self._library_now().get_tokens() if each.label)) or "none"
            raise TokenLostError(f"key store: {place.title} is not there; plug it in or correct the key store URI (tokens seen: {seen})")
        standing = self._logins.get(token.slot.slot_id)
        if standing is None:
            standing = _Login(_opened(token, pin, place), pin)
            self._logins[token.slot.slot_id] = standing
        elif not hmac.compare_digest(standing.pin.encode(), pin.encode()):  # Cryptoki would let anybody in by now
            raise _wrong_pin(place)
        return standing

    def restart(self) -> None:
        """Ends every login of the process with this module. Hold the lock."""
        library = self._library_now()
        for login in self._logins.values():
            login.alive = False
        self._logins.clear()
        try:
            with suppress(PKCS11Error):  # after fork, or where the device has gone, there is nothing left to finalize
                library.finalize()
            library.initialize()
        except PKCS11Error as exc:
            raise TokenLostError(f"PKCS#11 module {self._path} does not start ({type(exc).__name__}); check the device") from exc

    def _find(self, place: TokenPlace) -> pkcs11.Token | None:
        wanted = {name: getattr(place, name) for name in TOKEN_ATTRIBUTES}
        found = [token for token in self._library_now().get_tokens() if all(v in (None, _shown(token)[n]) for n, v in wanted.items())]
        if len(found) > 1:
            raise KeyStoreError(f"key store: {len(found)} tokens are {place.title}; add serial= to the key store URI")
        return found[0] if found else None

    def _library_now(self) -> Library:
        if self._library is None:
            try:
                self._library = pkcs11.lib(str(self._path))
            except PKCS11Error as exc:
                raise KeyStoreError(f"PKCS#11 module {self._path} cannot be loaded ({type(exc).__name__}); check module-path") from exc
            if self._inherited:
                self.restart()
        return self._library


_MODULES: dict[tuple[int, Path], _Module] = {}


def _module(path: Path) -> _Module:
    here = (os.getpid(), path)
    if here not in _MODULES:
        inherited = any(known == path for _, known in tuple(_MODULES))
        _MODULES.setdefault(here, _Module(path, inherited=inherited))  # the first of two threads wins
    return _MODULES[here]


class Token:
    """Signs and encrypts with keys that stay in the token. Safe to share between threads, and in children made by fork."""

    def __init__(self, place: TokenPlace, pin: str) -> None:
        """Nothing is opened yet; every method raises :class:`TokenLostError`, WrongSecretError (the PIN) or KeyStoreError."""
        self._place, self._pin = place, pin
        self._held: tuple[_Module, _Login] | None = None
        self._refused: KeyStoreError | None = None

    def labels(self) -> list[str]:
        """Of private keys."""
        wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.TOKEN: True}
        return self._run(lambda login: [str(each[Attribute.LABEL]) for each in list(login.session.get_objects(wanted))])

    def public_point(self, label: str) -> tuple[bytes, bytes]:
        """CKA_EC_PARAMS and CKA_EC_POINT; raises KeyNotFoundError, or KeyStoreError where the private key could leave the token."""

        def read(login: _Login) -> tuple[bytes, bytes]:
            _key(login, ObjectClass.PRIVATE_KEY, label)
            public = _key(login, ObjectClass.PUBLIC_KEY, label)
            return bytes(public[Attribute.EC_PARAMS]), bytes(public[Attribute.EC_POINT])

        return self._run(read)

    def has_secret(self, label: str) -> bool:
        return self._run(lambda login: bool(_objects(login, ObjectClass.SECRET_KEY, label)))

    def generate_pair(self, label: str, ec_params: bytes) -> None:
        """`ec_params`: the DER of a named curve. Raises :class:`LabelTakenError`."""

        def make(login: _Login) -> tuple[pkcs11.Object, ...]:
            curve = login.session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: ec_params}, local=True)
            private = _PRIVATE | {Attribute.ID: (key_id := os.urandom(16))}
            pair = curve.generate_keypair(id=key_id, label=label, store=True, public_template=_PUBLIC, private_template=private)
            return tuple(reversed(pair))

        self._generate(ObjectClass.PRIVATE_KEY, label, make)

    def generate_secret(self, label: str) -> None:
        """An AES-256 key that encrypts and decrypts and does nothing else; raises :class:`LabelTakenError`."""

        def make(login: _Login) -> tuple[pkcs11.Object, ...]:
            return (login.session.generate_key(KeyType.AES, 256, id=os.urandom(16), label=label, store=True, template=_SECRET),)

        self._generate(ObjectClass.SECRET_KEY, label, make)

    def sign(self, label: str, digest: bytes) -> bytes:
        """ECDSA over a digest: r and s, each as long as the curve's order."""
        return self._run(lambda login: bytes(_key(login, ObjectClass.PRIVATE_KEY, label).sign(digest, mechanism=Mechanism.ECDSA)))

    def held_keys(self) -> list[tuple[bytes, str]]:
        """CKA_ID and CKA_LABEL of every private key, whoever made it."""
        wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.TOKEN: True}
        return self._run(
            lambda login: [(bytes(each[Attribute.ID]), str(each[Attribute.LABEL])) for each in list(login.session.get_objects(wanted))]
        )

    def held_certificates(self) -> list[tuple[bytes, bytes]]:
        """CKA_ID and DER of every certificate."""
        wanted = {Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.TOKEN: True}
        return self._run(
            lambda login: [(bytes(each[Attribute.ID]), bytes(each[Attribute.VALUE])) for each in list(login.session.get_objects(wanted))]
        )

    def sign_as_holder(self, key_id: bytes, data: bytes, *, rsa: bool) -> bytes:
        """With a key that its holder brought: ECDSA over a digest, or RSA PKCS#1 v1.5 over a DigestInfo. How it was made is theirs."""
        wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.TOKEN: True, Attribute.ID: key_id}

        def sign(login: _Login) -> bytes:
            found: list[Any] = list(login.session.get_objects(wanted))
            if len(found) != 1:
                raise KeyNotFoundError(f"{self._place.title} holds {len(found)} private keys of that id, expected one")
            return bytes(found[0].sign(data, mechanism=Mechanism.RSA_PKCS if rsa else Mechanism.ECDSA))

        return self._run(sign)

    def encrypt(self, label: str, data: bytes, *, nonce: bytes, context: bytes) -> bytes:
        """AES-256-GCM: ciphertext and tag. `context` is authenticated."""
        return self._run(lambda login: _encrypted(login, label, data, nonce, context))

    def decrypt(self, label: str, ciphertext: bytes, *, nonce: bytes, context: bytes) -> bytes:
        """Raises :class:`pki.errors.WrongSecretError` where key, nonce or context is another, or the octets were altered."""

        def open_(login: _Login) -> bytes:
            parameters = pkcs11.GCMParams(nonce, aad=context, tag_bits=8 * GCM_TAG_OCTETS)
            try:
                return bytes(
                    _key(login, ObjectClass.SECRET_KEY, label).decrypt(ciphertext, mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
                )
            except _NOT_AUTHENTIC:
                _encrypted(login, label, b"", os.urandom(len(nonce)), context)  # raises if it is the token that is at fault
                raise WrongSecretError("wrapped secret: the key or context is another, or the octets were altered") from None

        return self._run(open_)

    def _generate(self, kind: ObjectClass, label: str, make: Callable[[_Login], tuple[pkcs11.Object, ...]]) -> None:
        def work(login: _Login) -> None:
            with _turn(self._place.module):
                alone(login)

        def alone(login: _Login) -> None:
            if _objects(login, kind, label):
                raise LabelTakenError(f"{self._place.title}: a key {label!r} stands already; it was not touched")
            made = make(login)
            try:
                _demand_that_it_stays(made[0], label)
                if len(_objects(login, kind, label)) > 1:  # tokens take a label twice; another machine was as quick
                    raise LabelTakenError(f"{self._place.title}: a key {label!r} was made elsewhere meanwhile; try again")
            except BaseException:
                for each in made:
                    each.destroy()
                raise

        self._run(work)

    def _run(self, work: Callable[[_Login], Result]) -> Result:
        """Does `work` with the module to itself; again, on a module started anew, where the token does not answer."""
        module, lost = _module(self._place.module), PKCS11Error()
        with module.lock:
            for pause in PAUSES:
                try:
                    if pause is not None:
                        time.sleep(pause)
                        module.restart()
                    return work(self._login(module))
                except TokenLostError:
                    if pause == PAUSES[-1]:
                        raise
                except _LOST as exc:
                    lost = exc
                except PKCS11Error as exc:
                    raise KeyStoreError(f"{self._place.title} refuses ({type(exc).__name__}); docs/hsm.md says what it must do") from exc
        raise TokenLostError(f"{self._place.title} does not answer ({type(lost).__name__}); check the device and its connection") from lost

    def _login(self, module: _Module) -> _Login:
        if self._refused is not None:
            raise type(self._refused)(*self._refused.args)
        if self._held is None or self._held[0] is not module or not self._held[1].alive:
            try:
                self._held = (module, module.login(self._place, self._pin))
            except (WrongSecretError, PinBlockedError) as exc:
                self._refused = exc  # tokens lock after a few wrong PINs: this one is never tried again
                raise
        return self._held[1]


def _opened(token: pkcs11.Token, pin: str, place: TokenPlace) -> pkcs11.Session:
    missing = _NEEDED - set(token.slot.get_mechanisms())
    if missing:
        names = ", ".join(sorted(f"CKM_{each.name}" for each in missing))
        raise KeyStoreError(f"key store: {place.title} lacks {names}; docs/hsm.md says what it must do")
    try:
        return token.open(rw=True, user_pin=pin)
    except _WRONG_PIN:
        raise _wrong_pin(place) from None
    except _NO_PIN as exc:
        raise PinBlockedError(
            f"key store: {place.title} takes no PIN now ({type(exc).__name__}); its security officer must set a new one"
        ) from None
    except PKCS11Error as exc:
        raise TokenLostError(
            f"key store: {place.title} cannot be opened ({type(exc).__name__}); check the device and its connection"
        ) from exc


def _wrong_pin(place: TokenPlace) -> WrongSecretError:
    return WrongSecretError(
        f"the PIN does not open the key store ({place.title}); check {VARIABLE}, the passphrase file or pin-source before trying again: "
        "tokens lock after a few wrong PINs"
    )


def _shown(token: pkcs11.Token) -> dict[str, str]:
    serial = token.serial.decode("utf-8", errors="replace").strip()
    return {"token": token.label, "serial": serial, "manufacturer": token.manufacturer_id.strip(), "model": token.model.strip()}


@contextmanager
def _turn(module: Path) -> Iterator[None]:
    """Processes of one machine make keys one after the other: a token takes a label twice, and SoftHSM shows others' objects late.

    The lock is on the module's own file, which every one of them can open and none needs to write.
    """
    with module.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _objects(login: _Login, kind: ObjectClass, label: str) -> list[Any]:
    return list(login.session.get_objects({Attribute.CLASS: kind, Attribute.TOKEN: True, Attribute.LABEL: label}))


def _key(login: _Login, kind: ObjectClass, label: str) -> Any:
    """The one object of that class and label; python-pkcs11 types what it finds as bare objects."""
    found = login.handles.get((kind, label))
    if found is None:
        every = _objects(login, kind, label)
        if not every:
            raise KeyNotFoundError(f"key store: the token holds no {_KINDS[kind]} {label!r}")
        if len(every) > 1:
            raise KeyStoreError(f"key store: the token holds {len(every)} objects {label!r}, expected one; remove what is not ours")
        if kind is not ObjectClass.PUBLIC_KEY:
            _demand_that_it_stays(every[0], label)
        found = login.handles[kind, label] = every[0]
    return found


def _demand_that_it_stays(key: pkcs11.Object, label: str) -> None:
    for attribute, expected in _STAYED.items():
        if key[attribute] is not expected:
            raise KeyStoreError(
                f"key store: key {label!r} has {attribute.name} {not expected}: it was not made to stay in the token, and is not used"
            )


def _encrypted(login: _Login, label: str, data: bytes, nonce: bytes, context: bytes) -> bytes:
    parameters = pkcs11.GCMParams(nonce, aad=context, tag_bits=8 * GCM_TAG_OCTETS)
    return bytes(_key(login, ObjectClass.SECRET_KEY, label).encrypt(data, mechanism=Mechanism.AES_GCM, mechanism_param=parameters))
