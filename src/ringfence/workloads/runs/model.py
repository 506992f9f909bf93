"""What a run is made of: inputs, code, environment, machine, end, outputs."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from ringfence.artifacts.model import DatasetId, DatasetName, dataset_name, epoch_number
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import UsageError
from ringfence.workloads.runs.privacy import Privacy

RunId = NewType("RunId", str)  # 32 lower-case hexadecimal digits

MAX_OUTPUTS = 4096  # files that are taken back and digested; their names fit the side record
MAX_OUTPUT_BYTES = 16 * 2**30
MAX_INPUTS = 64
MAX_BASES = 16
MAX_DIFF = 128 * 2**10  # of text; what differs is named by digests in any case
MAX_CHANGES = 4096  # files that differ from the commit: beyond it, commit first
MAX_SHIPPED = 4096
MAX_SHIPPED_BYTES = 256 * 2**20
MAX_COMMAND = 64 * 2**10
MAX_SEED = 2**32 - 1  # what PYTHONHASHSEED and NumPy take

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class CodeKind(StrEnum):
    """What the code of a run is named by."""

    GIT = "git"
    FILES = "files"
    NONE = "none"


class EntryKind(StrEnum):
    """What a path of the code is."""

    FILE = "file"
    EXECUTABLE = "executable"
    LINK = "link"
    SUBMODULE = "submodule"
    DELETED = "deleted"


class InputPlace(StrEnum):
    """Where the decrypted inputs were while the command ran."""

    NONE = "none"  # there were none
    PRIVATE_TMPFS = "private-tmpfs"  # in a mount namespace of the run's own
    SHARED_MEMORY = "shared-memory"  # below /dev/shm, readable by this user's other processes
    NODE_MEMORY = "node-memory"  # a memory file system of the node


class Outcome(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LOST = "lost"  # the node answered no more, so nothing is known of its end


@dataclass(frozen=True, slots=True)
class Input:
    """One epoch of a sealed dataset."""

    dataset: DatasetId
    name: DatasetName
    epoch: int
    seal: Digest
    ciphertext_root: Digest
    plaintext_root: Digest  # salted inside the seal


@dataclass(frozen=True, slots=True)
class Base:
    """A model that a run starts from, by the digest by which a signature of the same files names it."""

    path: str
    digest: Digest
    files: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How the tracked files differ from the commit, in git's words; empty where they do not, or it was left out."""

    text: str = ""
    left_out: bool = False  # it is longer than a side record keeps, or whoever ran it did not want it kept


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of the code; a link's digest is of its target, a submodule's of its commit."""

    path: str
    kind: EntryKind
    digest: Digest


@dataclass(frozen=True, slots=True)
class Code:
    """What ran: a commit and what differs from it, or files."""

    kind: CodeKind
    commit: str = ""
    changes: tuple[Entry, ...] = ()
    shipped: tuple[Entry, ...] = ()

    @property
    def dirty(self) -> bool:
        """Tell whether the working tree differs from its commit."""
        return self.kind is CodeKind.GIT and (bool(self.changes) or not self.commit)


@dataclass(frozen=True, slots=True)
class Lock:
    """The packages of the Python that a run used, as their installer recorded them."""

    python: str = ""
    platform: str = ""
    packages: tuple[str, ...] = ()  # `name==version`, and `sha256:` of its RECORD where there is one


@dataclass(frozen=True, slots=True)
class Machine:
    """What the command could compute with."""

    cpu: str = ""
    cores: int = 0
    memory_mib: int = 0
    accelerators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run took place; without a node it was here."""

    node: str = ""
    node_class: str = ""
    isolation: str = "none"


@dataclass(frozen=True, slots=True)
class Ended:
    """How the command ended; without an exit code it was ended by `signal`, or nothing is known."""

    outcome: Outcome
    exit_code: int | None = None
    signal: int = 0


def ended(code: int, *, interrupted: bool) -> Ended:
    """Say how a command ended whose status is `code`, negative for a signal."""
    well = Outcome.COMPLETED if code == 0 else Outcome.FAILED
    outcome = Outcome.INTERRUPTED if interrupted else well
    return Ended(outcome, code) if code >= 0 else Ended(outcome, None, -code)


@dataclass(frozen=True, slots=True)
class Output:
    """One file that the command left."""

    path: str
    size: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the command left; what is no plain file, or one too many, is counted and not taken."""

    files: tuple[Output, ...] = ()
    skipped: int = 0

    @property
    def size(self) -> int:
        """Return the sum of the sizes."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asks to be run."""

    command: tuple[str, ...]
    datasets: tuple[tuple[DatasetName, int | None], ...] = ()
    seed: int = 0
    environment: tuple[tuple[str, str], ...] = ()
    code: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()  # paths


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that is stated about one run."""

    run: RunId
    order: Order
    place: Place
    inputs: tuple[Input, ...]
    input_place: InputPlace
    swappable: bool
    code: Code
    code_changed: bool
    lock: Lock
    machine: Machine
    ended: Ended
    started_at: datetime
    ended_at: datetime
    outputs: Outputs = field(default_factory=Outputs)
    bases: tuple[Base, ...] = ()
    base_changed: bool = False
    difference: Difference = field(default_factory=Difference)
    privacy: tuple[Privacy, ...] = ()


def dataset_of(text: str) -> tuple[DatasetName, int | None]:
    """Parse `NAME` or `NAME@EPOCH`."""
    name, at, epoch = text.partition("@")
    if at and (not epoch.isascii() or not epoch.isdecimal() or len(epoch) > 10):
        raise UsageError(f"a dataset is NAME or NAME@EPOCH, not {text[:80]!r}")
    return dataset_name(name), epoch_number(int(epoch)) if at else None


def variable(text: str) -> tuple[str, str]:
    """Parse `NAME=VALUE`; the names that Ringfence sets itself are refused."""
    name, equals, value = text.partition("=")
    if not equals or not _VARIABLE.fullmatch(name) or "\0" in value:
        raise UsageError("--env is NAME=VALUE, a name of letters, digits and underscores")
    if name.startswith("RINGFENCE_") or name == "PYTHONHASHSEED":
        raise UsageError(f"{name} is set by `ringfence run` itself; choose another name")
    return name, value


def order(
    command: list[str],
    *,
    datasets: list[str],
    seed: int,
    environment: list[str],
    code: list[str],
    bases: list[str] | None = None,
) -> Order:
    """Check what a person typed."""
    if not command or not command[0]:
        raise UsageError("name the command behind `--`: ringfence run -- python train.py")
    if sum(len(word) + 1 for word in command) > MAX_COMMAND:
        raise UsageError(f"the command line has more than {MAX_COMMAND} characters; put it into a script")
    if not 0 <= seed <= MAX_SEED:
        raise UsageError(f"--seed is a number from 0 to {MAX_SEED}")
    wanted = tuple(map(dataset_of, datasets))
    names = [name for name, _ in wanted]
    if len(set(names)) != len(names) or len(names) > MAX_INPUTS:
        raise UsageError(f"each dataset is named once, and at most {MAX_INPUTS} of them")
    starting = tuple(bases or ())
    if len(set(starting)) != len(starting) or len(starting) > MAX_BASES or any(":" in base for base in starting):
        raise UsageError(f"each base model is named once, without a colon, and at most {MAX_BASES} of them")
    return Order(tuple(command), wanted, seed, tuple(map(variable, environment)), tuple(code), starting)
