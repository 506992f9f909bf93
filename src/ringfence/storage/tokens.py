"""Keys in a token: PKCS#11 by the vendor's module. The PIN comes from a private file, never from an argument.

An HSM, a smart card or SoftHSM; `ringfence[pkcs11]` brings the binding. What is in a token is used there: it wraps and
unwraps, and does not come out.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, Unavailable, VerificationFailed
from ringfence.storage.files import PRIVATE, read_private, write_whole
from ringfence.storage.keyfile import FORMAT, TOKEN

_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """Where a key lies: in which token, under which name, and where its PIN is."""

    module: Path
    label: str
    pin_file: Path
    key: str  # the label of the key in the token

    def write(self, path: Path, identity: str, *, replace: bool = True) -> None:
        """Write what stands in the place of a key file."""
        document = {"format": FORMAT, "custody": TOKEN, "token": self.to_json(), "id": identity}
        write_whole(path, digest.dumps(document) + b"\n", mode=PRIVATE, replace=replace)

    def to_json(self) -> dict[str, str]:
        """Return the form in which a key file names the place."""
        return {"module": str(self.module), "label": self.label, "pinFile": str(self.pin_file), "key": self.key}

    @classmethod
    def parse(cls, document: Mapping[Any, Any], *, source: str) -> "TokenPlace":
        """Read that form; raise `MalformedInput`."""
        match document:
            case {
                "module": str() as module,
                "label": str() as label,
                "pinFile": str() as pin,
                "key": str() as key,
                **more,
            } if not more:
                return cls(Path(module), label, Path(pin), key)
            case _:
                raise MalformedInput("it does not say in which token the key lies", source=source)


def read_place(path: Path) -> tuple[TokenPlace, str]:
    """Read what stands in the place of a key file: the place, and the id of the key."""
    match digest.loads(read_private(path), source=str(path)):
        case {
            "format": kind,
            "custody": custody,
            "id": str() as identity,
            "token": dict() as place,
            **extra,
        } if kind == FORMAT and custody == TOKEN and not extra:
            return TokenPlace.parse(place, source=str(path)), identity
        case _:
            raise MalformedInput("it does not say in which token the key lies", source=str(path))


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is opened for each use: whoever is logged in, every thread of the process is."""

    place: TokenPlace
    pin: str = field(default="", repr=False)  # where the process may not read its file any more

    def wrap(self, secret: bytes) -> bytes:
        """Wrap a secret with the key in the token: AES key wrap with padding, RFC 5649."""
        from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

        with self.opened() as session:
            plain = session.create_object(
                {
                    Attribute.CLASS: ObjectClass.SECRET_KEY,
                    Attribute.KEY_TYPE: KeyType.GENERIC_SECRET,
                    Attribute.VALUE: secret,
                    Attribute.TOKEN: False,
                    Attribute.SENSITIVE: False,
                    Attribute.EXTRACTABLE: True,
                }
            )
            try:
                return bytes(self._key(session).wrap_key(plain, mechanism=Mechanism.AES_KEY_WRAP_PAD))
            finally:
                plain.destroy()

    def unwrap(self, wrapped: bytes) -> bytearray:
        """Return the secret; raise `VerificationFailed` where this key did not wrap it."""
        from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
        from pkcs11.exceptions import DeviceRemoved, PKCS11Error, SessionHandleInvalid

        template = {Attribute.TOKEN: False, Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True}
        with self.opened() as session:
            key = self._key(session)
            try:
                found = key.unwrap_key(
                    ObjectClass.SECRET_KEY,
                    KeyType.GENERIC_SECRET,
                    wrapped,
                    mechanism=Mechanism.AES_KEY_WRAP_PAD,
                    template=template,
                )
            except (DeviceRemoved, SessionHandleInvalid):
                raise
            except PKCS11Error as error:  # each vendor has another word for a wrapping that does not fit
                raise VerificationFailed("the wrapped key was changed, or another key wrapped it") from error
            try:
                return bytearray(found[Attribute.VALUE])
            finally:
                found.destroy()

    def take_in(self, secret: bytes) -> None:
        """Put an AES key into the token, from where it does not come out again."""
        from pkcs11 import Attribute, KeyType, ObjectClass

        with self.opened() as session:
            session.create_object(
                {
                    Attribute.CLASS: ObjectClass.SECRET_KEY,
                    Attribute.KEY_TYPE: KeyType.AES,
                    Attribute.LABEL: self.place.key,
                    Attribute.VALUE: secret,
                    Attribute.TOKEN: True,
                    Attribute.PRIVATE: True,
                    Attribute.SENSITIVE: True,
                    Attribute.EXTRACTABLE: False,
                    Attribute.WRAP: True,
                    Attribute.UNWRAP: True,
                    Attribute.ENCRYPT: False,
                    Attribute.DECRYPT: False,
                }
            )

    def make(self) -> None:
        """Make an AES key in the token, from where it does not come out; one that is there already stays."""
        from pkcs11 import Attribute, KeyType

        template = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.PRIVATE: True}
        allowed = {Attribute.WRAP: True, Attribute.UNWRAP: True, Attribute.ENCRYPT: False, Attribute.DECRYPT: False}
        with self.opened() as session, suppress(NotFound):
            self._key(session)
            return
        with self.opened() as session:
            session.generate_key(KeyType.AES, 256, label=self.place.key, store=True, template=template | allowed)

    def forget(self) -> None:
        """Destroy the key in the token."""
        with self.opened() as session:
            self._key(session).destroy()

    def _key(self, session: Any) -> Any:
        from pkcs11 import KeyType, ObjectClass

        return self.only(session, object_class=ObjectClass.SECRET_KEY, key_type=KeyType.AES)

    def only(self, session: Any, **kind: Any) -> Any:
        """Return the one key of a kind that has the name of ours."""
        from pkcs11.exceptions import MultipleObjectsReturned, NoSuchKey

        try:
            return session.get_key(label=self.place.key, **kind)
        except NoSuchKey as error:
            raise NotFound(f"the token {self.place.label} holds no key {self.place.key}") from error
        except MultipleObjectsReturned as error:
            raise Refused(f"the token {self.place.label} holds several keys {self.place.key}; remove one") from error

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """Open a session, and turn what the token says into our family of errors."""
        exceptions = _binding().exceptions
        try:
            with _ONE_AT_A_TIME, self._open() as session:
                yield session
        except (exceptions.PinIncorrect, exceptions.PinLocked, exceptions.PinInvalid, exceptions.PinLenRange) as error:
            raise Refused(f"the PIN in {self.place.pin_file} does not open the token {self.place.label}") from error
        except (exceptions.NoSuchToken, exceptions.MultipleTokensReturned) as error:
            raise Unavailable(
                f"{self.place.module} shows no single token {self.place.label!r}; is it there?"
            ) from error
        except exceptions.PKCS11Error as error:
            raise Unavailable(f"the token {self.place.label} does not do it: {type(error).__name__} {error}") from error

    def read_pin(self) -> str:
        """Read the PIN from its file."""
        pin = read_private(self.place.pin_file).rstrip(b"\r\n")
        try:
            return pin.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedInput("a PIN is text", source=str(self.place.pin_file)) from error

    def _open(self) -> Any:
        place, pin = self.place, self.pin or self.read_pin()
        if not place.module.is_file():
            raise Unavailable(f"the PKCS#11 module {place.module} is missing")
        return _binding().lib(str(place.module)).get_token(token_label=place.label).open(user_pin=pin, rw=True)


def _binding() -> Any:
    try:
        import pkcs11
        import pkcs11.exceptions
    except ImportError as error:
        raise Unavailable("keys in a token need the binding: pip install 'ringfence[pkcs11]'") from error
    return pkcs11
