"""Witnesses and time-stamping authorities for tests: keys from seeds, a witness in memory, a real `openssl ts`."""

import subprocess
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import LogOrigin
from ringfence.ledger.anchoring.model import Reply
from ringfence.ledger.anchors.cosignature import cosign
from ringfence.ledger.model import Checkpoint, TimestampAuthority, Witness
from ringfence.ledger.note import SignatureType, VerifierKey
from ringfence.ledger.witness.deciding import known_logs
from ringfence.ledger.witness.model import Accepted
from ringfence.ledger.witness.ports import Key
from ringfence.ledger.witness.service import Witnessing
from ringfence.testing.clock import FakeClock
from ringfence.testing.keys import ed25519, ml_dsa_44, public
from ringfence.testing.programs import surroundings, tool

_CONFIGURATION = """[tsa]
default_tsa = it
[it]
serial = {folder}/serial
digests = sha256, sha512, sha512-256
default_policy = 1.2.3.4.1
signer_digest = sha256
ess_cert_id_alg = sha256
ess_cert_id_chain = no
"""


def witness_keys(name: str = "witness.example/w1", seed: int = 41) -> tuple[Key, Key]:
    """Return the two keys of the witness number `seed`."""
    mldsa = ml_dsa_44(seed)
    first = VerifierKey(name, SignatureType.ED25519_COSIGNATURE, public(ed25519(seed)))
    second = VerifierKey(name, SignatureType.ML_DSA_44, mldsa.public_key().public_bytes_raw())
    return Key(first, ed25519(seed).sign), Key(second, mldsa.sign)


def named(keys: tuple[Key, ...], party: str = "Auditor GmbH") -> tuple[Witness, ...]:
    """Return a witness as a trust file names it."""
    return tuple(Witness(key.public.name, str(key.public), party) for key in keys)


def cosigned_by(keys: tuple[Key, ...], head: Checkpoint, at: datetime) -> tuple[str, ...]:
    """Return the lines by which a witness cosigns a head, whatever it saw before."""
    return tuple(cosign(head, key.public, key.sign, at) for key in keys)


@dataclass(slots=True)
class MemoryHeads:
    """The newest head of each log, in memory; `full` makes it refuse as a full disk does."""

    kept: dict[LogOrigin, Checkpoint] = field(default_factory=dict)
    full: bool = False

    def one_at_a_time(self) -> AbstractContextManager[None]:
        """Nobody else is there."""
        return nullcontext()

    def latest(self, origin: LogOrigin) -> Checkpoint | None:
        """Return the newest head."""
        return self.kept.get(origin)

    def keep(self, accepted: Accepted) -> None:
        """Keep a head."""
        if self.full:
            raise Unavailable("the disk is full")
        self.kept[accepted.checkpoint.origin] = accepted.checkpoint


def witnessing(
    log_keys: tuple[str, ...], clock: FakeClock, *, name: str = "witness.example/w1", seed: int = 41
) -> Witnessing:
    """Return a witness in memory that watches one log."""
    return Witnessing(known_logs(log_keys), MemoryHeads(), witness_keys(name, seed), clock)


@dataclass(slots=True)
class FakeRemote:
    """The network: what answers at each address; nothing answers anywhere else."""

    witnesses: dict[str, Callable[[bytes], Reply]] = field(default_factory=dict)
    authorities: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def serve(self, url: str, witness: Witnessing) -> None:
        """Let a witness answer at an address."""

        def answer(body: bytes) -> Reply:
            found = witness.add_checkpoint(body)
            return Reply(found.status, found.kind, found.text)

        self.witnesses[url] = answer

    def submit(self, url: str, body: bytes) -> Reply:
        """Submit a head to a witness."""
        self.asked.append(url)
        if url not in self.witnesses:
            raise Unavailable(f"nothing answers at {url}")
        return self.witnesses[url](body)

    def stamp(self, url: str, request: bytes) -> bytes:
        """Ask an authority for a time stamp."""
        self.asked.append(url)
        if url not in self.authorities:
            raise Unavailable(f"nothing answers at {url}")
        return self.authorities[url](request)


@dataclass(frozen=True, slots=True)
class LabAuthority:
    """A time-stamping authority: a root, a certificate below it, and `openssl ts -reply`."""

    folder: Path
    root: x509.Certificate

    @classmethod
    def make(cls, folder: Path, *, name: str = "Lab", ended: bool = False) -> "LabAuthority":
        """Make one; `ended` lets its certificate have expired."""
        folder.mkdir(parents=True)
        top, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = _certificate(f"{name} root", top, f"{name} root", top, is_root=True)
        leaf = _certificate(f"{name} stamps", own, f"{name} root", top, ended=ended)
        (folder / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
        (folder / "tsa.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
        for file, key in (("key.pem", own), ("root-key.pem", top)):
            (folder / file).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (folder / "tsa.cnf").write_text(_CONFIGURATION.format(folder=folder))
        (folder / "serial").write_text("01\n")
        return cls(folder, root)

    @property
    def certificate(self) -> bytes:
        """Return what a trust file holds: the root, in DER."""
        return self.root.public_bytes(Encoding.DER)

    def trusted(self, party: str = "Stamps AG") -> TimestampAuthority:
        """Return the authority as a trust file names it."""
        return TimestampAuthority(self.certificate, party)

    def answer(self, request: bytes) -> bytes:
        """Answer a request as a real authority does."""
        asked, given = self.folder / "request.tsq", self.folder / "answer.tsr"
        asked.write_bytes(request)
        options = ("-config", "tsa.cnf", "-queryfile", asked.name, "-signer", "tsa.pem", "-inkey", "key.pem")
        done = openssl("ts", "-reply", *options, "-out", given.name, folder=self.folder)
        if done.returncode:
            raise AssertionError(done.stderr)
        return given.read_bytes()


def openssl(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a real openssl in a folder; skip the test where there is none."""
    program = tool("openssl")
    environment: Mapping[str, str] = surroundings({"OPENSSL_CONF": "/dev/null"})
    return subprocess.run(  # noqa: S603 - a program that the tests fetched
        [program, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    by: ec.EllipticCurvePrivateKey,
    *,
    is_root: bool = False,
    ended: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)  # noqa: TID251 - openssl stamps with the machine's time
    start = now - timedelta(days=3)
    usage = [not is_root, False, False, False, False, is_root, is_root, False, False]
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(now - timedelta(days=1) if ended else now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(*usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if not is_root:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return made.sign(by, hashes.SHA256())
