"""The certificate authority for SSH: certificates of minutes for people who log in to a node."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    SSHCertificateBuilder,
    SSHCertificateType,
    load_ssh_private_key,
    load_ssh_public_key,
)

from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import InternalError, MalformedInput, UsageError
from ringfence.storage.files import PRIVATE, read_private, write_whole

LONGEST = 3600  # seconds; a person asks again rather than keep one
EARLY = timedelta(seconds=30)  # a node's clock may be behind ours
LARGEST_KEY = 2048
COMMENT = "ringfence-ssh-ca"


class KeyFileAuthority:
    """An Ed25519 key in a file that only we read, made at first use; it signs nothing but user certificates."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def certificate(
        self, public_key: str, *, principal: str, seconds: int, serial: int, key_id: str = "", tunnel: bool = False
    ) -> str:
        """Certify an OpenSSH Ed25519 key for one principal.

        Args:
            public_key: whose private part the person holds.
            principal: the node.
            seconds: how long it is good for.
            serial: its number.
            key_id: names the person, opaquely, in the node's log.
            tunnel: instead of a terminal, it allows the forwarding of connections.
        """
        if not 0 < seconds <= LONGEST:
            raise UsageError(f"a certificate lasts 1 to {LONGEST} seconds, not {seconds}")
        now = self._clock.now()
        built = (
            SSHCertificateBuilder()
            .public_key(_public(public_key))
            .serial(serial)
            .type(SSHCertificateType.USER)
            .key_id((key_id or principal).encode())
            .valid_principals([principal.encode()])
            .valid_after(int((now - EARLY).timestamp()))
            .valid_before(int((now + timedelta(seconds=seconds)).timestamp()))
            .add_extension(b"permit-port-forwarding" if tunnel else b"permit-pty", b"")
            .sign(self._key())
        )
        return built.public_bytes().decode()

    def ca_public(self) -> str:
        """Return the public key that nodes trust."""
        return f"{public_line(self._key())} {COMMENT}"

    def _key(self) -> Ed25519PrivateKey:
        if not self._path.exists():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(UsageError):  # somebody was faster: theirs counts
                write_whole(self._path, private_bytes(Ed25519PrivateKey.generate()), mode=PRIVATE, replace=False)
        key = load_ssh_private_key(read_private(self._path), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise InternalError(f"{self._path.name} holds another kind of key than Ed25519")
        return key


def public_line(key: Ed25519PrivateKey) -> str:
    """Return the public part of a key as OpenSSH writes it."""
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def private_bytes(key: Ed25519PrivateKey) -> bytes:
    """Return a key as OpenSSH writes it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def _public(text: str) -> Ed25519PublicKey:
    if len(text) > LARGEST_KEY:
        raise MalformedInput(f"an SSH public key of {len(text)} characters; the limit is {LARGEST_KEY}")
    try:
        key = load_ssh_public_key(text.encode())
    except (ValueError, TypeError) as error:
        raise MalformedInput("that is not an SSH public key such as the content of id_ed25519.pub") from error
    except UnsupportedAlgorithm as error:
        raise MalformedInput("only Ed25519 keys are certified: ssh-keygen -t ed25519 makes one") from error
    if not isinstance(key, Ed25519PublicKey):
        raise MalformedInput("only Ed25519 keys are certified: ssh-keygen -t ed25519 makes one")
    return key
