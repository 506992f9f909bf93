"""Files of models made by hand, well formed and hostile; and a control plane for models in memory."""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ringfence.artifacts.models import catalogue, keys, statements
from ringfence.artifacts.models.cursor import Held
from ringfence.artifacts.models.keys import SigningKey
from ringfence.artifacts.models.local import API
from ringfence.artifacts.models.model import Judged, Report
from ringfence.artifacts.models.scan import scan
from ringfence.artifacts.models.service import Models
from ringfence.kernel import digest
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.kernel.identifier import KeyId, PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.testing.artifacts import PERSON, MemoryControl


def key(number: int = 1) -> SigningKey:
    """Return one of some keys that are the same in every run."""
    return keys.from_scalar(number.to_bytes(32, "big"))


def cached(place: Path, files: Mapping[str, bytes], *, revision: str = "1" * 40) -> Path:
    """Lay files into a cache as Hugging Face's tools do, and return the snapshot; `weights` are named by SHA-256."""
    repository = place / "models--org--name"
    snapshot, blobs = repository / "snapshots" / revision, repository / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        large = name.endswith((".safetensors", ".gguf", ".bin"))
        git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        blob = Digest.of(data).hex if large else git
        (blobs / blob).write_bytes(data)
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to("../" * (name.count("/") + 2) + f"blobs/{blob}")
    return snapshot


def judged(data: bytes, name: str = "file.bin") -> Judged:
    """Return what a scan says of one file."""
    return report({name: data}).files[0]


def report(files: Mapping[str, bytes]) -> Report:
    """Return what a scan says of files."""

    @contextmanager
    def opening(name: str) -> Iterator[Held]:
        yield Held(files[name])

    return scan(sorted(files), opening)


def safetensors(header: Any, data: bytes = b"") -> bytes:
    """Return a file with this header: bytes as they are, anything else as JSON."""
    text = header if isinstance(header, bytes) else digest.dumps(header)
    return struct.pack("<Q", len(text)) + text + data


def tensor(begin: int, end: int, *, dtype: str = "U8", shape: Sequence[int] | None = None) -> dict[str, Any]:
    """Return the entry of a tensor."""
    return {"dtype": dtype, "shape": list(shape or [end - begin]), "data_offsets": [begin, end]}


def text(value: str | bytes) -> bytes:
    """Return a text as GGUF writes it."""
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(name: str, kind: int, value: bytes) -> bytes:
    """Return a metadata entry of GGUF."""
    return text(name) + struct.pack("<I", kind) + value


def described(name: str, shape: Sequence[int], kind: int, offset: int) -> bytes:
    """Return the description of a tensor in GGUF."""
    sides = struct.pack(f"<{len(shape)}Q", *shape)
    return text(name) + struct.pack("<I", len(shape)) + sides + struct.pack("<IQ", kind, offset)


def gguf(
    pairs: Iterable[bytes] = (),
    tensors: Iterable[bytes] = (),
    data: bytes = b"",
    *,
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    """Return a GGUF file; data is aligned to 32 bytes."""
    entries, descriptions = list(pairs), list(tensors)
    announced = counts or (len(descriptions), len(entries))
    head = b"GGUF" + struct.pack("<IQQ", version, *announced) + b"".join(entries) + b"".join(descriptions)
    return head + bytes(-len(head) % 32) + data if descriptions else head


def _unicode(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def importing(module: str, name: str, argument: bytes = b"") -> bytes:
    """Return a pickle of protocol 4 that calls `module.name` with a text."""
    call = argument or _unicode("true")
    return b"\x80\x04" + _unicode(module) + b"\x94" + _unicode(name) + b"\x94\x93" + call + b"\x85R."


# Streams that run something, or would hide that they do, when they are loaded. They never are.
HOSTILE: Mapping[str, bytes] = {
    "os.system": importing("posix", "system"),
    "eval": importing("builtins", "eval"),
    "subprocess, protocol 0": b"csubprocess\nPopen\n(S'true'\ntR.",
    "import_module": importing("importlib", "import_module"),
    "os.spawnv": importing("os", "spawnv"),
    "mlflow entry point": importing("mlflow.projects.backend.loader", "load_backend"),
    "pandas read": importing("pandas.io.pickle", "read_pickle"),
    "numpy runs text": importing("numpy.testing._private.utils", "runstring"),
    "unknown package": importing("evil_package", "Model"),
    "torch in torch": importing("torch.storage", "_load_from_bytes"),
    "truncated after the call": importing("posix", "system")[:-1],
}
# More ways to hide an import from whoever looks for names.
DISGUISED: Mapping[str, bytes] = {
    "INST": b"(S'true'\nios\nsystem\n.",
    "extension registry": b"\x80\x02\x82\x01.",
    "name from the memo": b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x940h\x00h\x01\x93\x8c\x04true\x85R.",
    "computed name": b"\x80\x04\x8c\x05posix\x8c\x03sys\x8c\x03temo\x86\x93.",
    "behind another pickle": b"\x80\x04N." + importing("posix", "system"),
    "bytes behind the end": b"\x80\x04N.csubprocess\nPopen\n.",
    "a length beyond the file": b"\x80\x04\x8e" + (2**40).to_bytes(8, "little") + b"x.",
    "numbers that only the loader reads": b"I0x10\n0" + b"csubprocess\nPopen\n(S'true'\ntR.",
    "an escape that only the loader takes": b"S'\\d'\n0" + b"csubprocess\nPopen\n(S'true'\ntR.",
    "text that only some loaders take": b"S'\xe9'\n0" + b"csubprocess\nPopen\n(S'true'\ntR.",
    "a name with escapes": b"co\\x73\nsystem\n(S'true'\ntR.",
    "nested attribute": importing("builtins", "set.__init__.__globals__"),
    "dotted into an allowed module": importing("collections", "OrderedDict.fromkeys"),
}
# Streams that are text to the eye; whoever loads them as a pickle runs them.
TEXTS: Mapping[str, bytes] = {
    "more opcodes than are looked at": b"N0" * 2**19 + b"N0cos\nsystem\n(S'true'\ntR.",
    "a line longer than any name": b"V" + b"x" * 2**17 + b"\n0cos\nsystem\n(S'true'\ntR.",
    "a quoted line that ends with a window": b"S'" + b"x" * (2**16 - 2) + b"'\n0cos\nsystem\n(S'true'\ntR.",
    "a computed name": b"Vos\nVsystem\nN0q\xc2\x93(S'true'\ntR.",
    "a name with escapes": b"V\\u006fs\nV\\u0073ystem\nq\xc2\x93(S'true'\ntR.",
    "behind a harmless stream": b"L119547037146038801333356L\n.cos\nsystem\n(S'true'\ntR.",
}
HARMLESS: Mapping[str, bytes] = {
    "numbers and texts": b"\x80\x04}\x94(\x8c\x01a\x94K\x01\x8c\x01b\x94\x8c\x01c\x94u.",
    "an ordered dictionary": b"\x80\x04\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93)R.",
    "a set": b"\x80\x02c__builtin__\nset\n]\x85R.",
}


@dataclass(frozen=True, slots=True)
class FakeLogged:
    """A statement that is in the log."""

    entry: int
    envelope: Envelope
    opening: Opening | None
    standing: str = "trusted"

    @property
    def recorded_at(self) -> datetime:
        """Return when it was issued: here nothing waits."""
        return self.envelope.statement.issuance.issued_at


@dataclass
class FakeLog:
    """A log in memory, its recorder and its publication."""

    entries: list[FakeLogged] = field(default_factory=list)
    ended: set[KeyId] = field(default_factory=set)  # keys of people who left

    def statements(
        self,
        tenant: Tenant,  # noqa: ARG002 - one tenant's
        predicates: Iterable[PredicateName] | None = None,
        *,
        at: datetime | None = None,  # noqa: ARG002 - all of it
    ) -> Sequence[FakeLogged]:
        """Return what was admitted, of the predicates asked for."""
        wanted = None if predicates is None else set(predicates)
        return [one for one in self.entries if wanted is None or one.envelope.statement.predicate in wanted]

    def record(self, draft: Draft, *, tenant: Tenant) -> Acknowledgement:
        """Operators state about models; services do not."""
        raise AssertionError((draft, tenant))

    def admit(self, envelope: Envelope, opening: Opening | None, *, by: Person) -> Acknowledgement:  # noqa: ARG002
        """Log it at once."""
        self.entries.append(FakeLogged(len(self.entries), envelope, opening))
        return self._acknowledged(self.entries[-1])

    def published(self, envelope: Digest) -> Acknowledgement:
        """Return where it stands."""
        return self._acknowledged(next(one for one in self.entries if one.envelope.digest == envelope))

    def _acknowledged(self, one: FakeLogged) -> Acknowledgement:
        return Acknowledgement(one.envelope.digest, one.entry + 1, Stage.PUBLISHED, one.entry)


def models(log: FakeLog) -> Models:
    """Return the service over a log in memory."""
    return Models(nullcontext, log, log, log, lambda _tenant, key: key not in log.ended)


class FakeControl:
    """The control plane in memory: signs drafts with a key of its own, and records them."""

    def __init__(self) -> None:
        self.log, self._inner = FakeLog(), MemoryControl()
        self.service = models(self.log)

    def get(self, path: str) -> Any:
        """Return what the API lists."""
        assert path == API
        tenant = self._inner.tenant
        listed = [catalogue.to_json(model) for model in self.service.all(tenant)]
        trusted = [known.pem for known in self.service.trusted(tenant)]
        return {"models": listed, "names": dict(self.service.names(tenant)), "trusted": trusted}

    def state(self, draft: Draft, *, path: str, body: Mapping[str, Any]) -> Any:
        """Sign and record."""
        envelope, opening = self.signed(draft)
        kinds = {"signed": statements.SIGNED, "scanned": statements.SCAN, "imported": statements.IMPORTED}
        kind = kinds[path.rpartition("/")[2]]
        return {"statement": self.service.state(PERSON, kind, envelope, opening, **body).to_json()}

    def signed(self, draft: Draft) -> tuple[Envelope, Opening | None]:
        """Return a draft as an operator signs it."""
        return self._inner.signed(draft)
