"""Sign with an Ed25519 key that lies in a PKCS#11 token: it was made there, and its private half does not come out.

In the place of the seed, the key file says where the key lies: `<name>.token` instead of `<name>`.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ringfence.kernel import digest
from ringfence.kernel.envelope import Envelope, assemble, key_id_of, pae
from ringfence.kernel.errors import InternalError, MalformedInput, NotFound, Refused
from ringfence.kernel.identifier import KeyId
from ringfence.kernel.statement import Statement, to_payload
from ringfence.storage.keyfile import KeyFile
from ringfence.storage.signer import Ed25519Signer
from ringfence.storage.tokens import Token, TokenPlace

IN_TOKEN = ".token"  # noqa: S105 -- behind the name of a key: the secret only says where it lies
PUBLIC_SIZE = 32
_ED25519 = bytes.fromhex("06032b6570")  # CKA_EC_PARAMS: the object identifier of RFC 8410


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key pair in a token."""

    token: Token
    public_key: bytes

    @classmethod
    def parse(cls, secret: bytes) -> "TokenKey":
        """Read where the pair lies; nothing is opened before it is needed."""
        match digest.loads(secret, source="key file"):
            case {"public": str() as public, **place}:
                return cls(Token(TokenPlace.parse(place, source="key file")), _raw(public))
            case _:
                raise MalformedInput("it does not say in which token the key lies", source="key file")

    def to_secret(self) -> bytes:
        """Return what stands in the place of the seed."""
        return digest.dumps(self.token.place.to_json() | {"public": self.public_key.hex()})

    def ready(self) -> "TokenKey":
        """Return the same with its PIN in memory, for a process that gives up the right to read it."""
        return replace(self, token=replace(self.token, pin=self.token.read_pin()))

    def check(self) -> None:
        """Raise where the token is not there, does not open, or has another key under this name."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(self.sign(b"ringfence"), b"ringfence")
        except InvalidSignature as error:
            place = self.token.place
            raise Refused(f"the key {place.key} in the token {place.label} is another one than was enrolled") from error

    def made(self) -> "TokenKey":
        """Make the pair in the token, unless that was done before; return it with its public half."""
        from pkcs11 import Attribute, KeyType, Mechanism

        with self.token.opened() as session, suppress(NotFound):
            return replace(self, public_key=self._public(session))
        private = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.PRIVATE: True}
        with self.token.opened() as session:
            curve = session.create_domain_parameters(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _ED25519}, local=True)
            curve.generate_keypair(
                mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                store=True,
                label=self.token.place.key,
                private_template=private,
            )
            return replace(self, public_key=self._public(session))

    def sign(self, data: bytes) -> bytes:
        """Return the signature over bytes, which the token makes."""
        from pkcs11 import Mechanism, ObjectClass

        with self.token.opened() as session:
            return bytes(self._half(session, ObjectClass.PRIVATE_KEY).sign(data, mechanism=Mechanism.EDDSA))

    def forget(self) -> None:
        """Destroy both halves in the token."""
        from pkcs11 import ObjectClass

        with self.token.opened() as session:
            for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
                self._half(session, kind).destroy()

    def _public(self, session: Any) -> bytes:
        from pkcs11 import Attribute, ObjectClass

        self._half(session, ObjectClass.PRIVATE_KEY)  # half a pair is none
        point = bytes(self._half(session, ObjectClass.PUBLIC_KEY)[Attribute.EC_POINT])
        return _raw(point[-PUBLIC_SIZE:].hex())  # some tokens put it into an OCTET STRING, as the standard has it

    def _half(self, session: Any, kind: Any) -> Any:
        from pkcs11 import KeyType

        return self.token.only(session, object_class=kind, key_type=KeyType.EC_EDWARDS)


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """A `StatementSigner` over a key pair in a token."""

    private: TokenKey

    @property
    def public_key(self) -> bytes:
        """Return the raw public key."""
        return self.private.public_key

    @property
    def key(self) -> KeyId:
        """Return the id of the key."""
        return key_id_of(self.public_key)

    def sign(self, statement: Statement) -> Envelope:
        """Sign a statement that names this key as its issuer."""
        if statement.issuance.issuer != self.key:
            raise InternalError("a statement was given to a key that it does not name as its issuer")
        payload = to_payload(statement)
        return assemble(payload, self.key, self.private.sign(pae(payload)))


def signer_in(held: KeyFile, name: str) -> Ed25519Signer | TokenSigner:
    """Return the signer whose seed is in a key file, or whose place in a token is."""
    if name + IN_TOKEN in held.secrets:
        return TokenSigner(TokenKey.parse(held.secret(name + IN_TOKEN)))
    return Ed25519Signer.from_seed(held.secret(name))


def _raw(text: str) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != PUBLIC_SIZE:
        raise MalformedInput(f"a public key has {PUBLIC_SIZE} bytes, in hexadecimal digits", source="key file")
    return raw
