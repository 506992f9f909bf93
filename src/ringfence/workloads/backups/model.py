"""What a backup holds, as one document: every file by its digest, named by what it belongs to."""

from dataclasses import dataclass
from enum import StrEnum

from ringfence.artifacts.model import dataset_id
from ringfence.artifacts.models.model import model_name
from ringfence.artifacts.models.names import check_name
from ringfence.kernel import digest
from ringfence.kernel.clock import from_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput

FORMAT = "urn:ringfence:artifact-backup:v1"
MAX_INDEX = 2**28  # bytes
MOST_THINGS = 100_000


class Kind(StrEnum):
    """What was backed up."""

    DATASET = "dataset"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Kept:
    """One file."""

    path: str  # below its thing
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Thing:
    """One epoch of a dataset, or one model: `digest` is by what statements name it."""

    kind: Kind
    name: str  # dataset/epoch, or the model's name
    digest: Digest
    files: tuple[Kept, ...]

    @property
    def folder(self) -> str:
        """Return where it lies below a home."""
        return f"{'datasets' if self.kind is Kind.DATASET else 'models'}/{self.name}"


@dataclass(frozen=True, slots=True)
class Index:
    """Everything of one backup, or of its wrapped keys."""

    made: str  # an instant as text
    things: tuple[Thing, ...]

    @property
    def size(self) -> int:
        """Return how many bytes its files have together."""
        return sum(file.size for thing in self.things for file in thing.files)

    @property
    def files(self) -> int:
        """Return how many files there are."""
        return sum(len(thing.files) for thing in self.things)


def printed(index: Index) -> bytes:
    """Print an index; the same things give the same bytes."""
    return digest.dumps(
        {
            "format": FORMAT,
            "made": index.made,
            "things": [
                {
                    "kind": thing.kind.value,
                    "name": thing.name,
                    "digest": thing.digest.hex,
                    "files": [[file.path, file.digest.hex, file.size] for file in thing.files],
                }
                for thing in index.things
            ],
        }
    )


def parse(data: bytes, *, source: str) -> Index:
    """Read an index back; raise `MalformedInput` for what is none, and for every path that leads elsewhere."""
    match digest.loads(data, source=source, limit=MAX_INDEX):
        case {"format": kind, "made": str() as made, "things": list() as things, **more} if (
            kind == FORMAT and not more and len(things) <= MOST_THINGS
        ):
            from_text(made)
            found = tuple(_thing(one, source) for one in things)
        case _:
            raise MalformedInput("not the index of a backup", source=source)
    if len({thing.folder for thing in found}) != len(found):
        raise MalformedInput("a thing stands twice", source=source)
    return Index(made, found)


def _thing(value: object, source: str) -> Thing:
    match value:
        case {
            "kind": "dataset" | "model" as kind,
            "name": str() as name,
            "digest": str() as of,
            "files": list() as files,
            **more,
        } if not more:
            kept = tuple(_kept(one, source) for one in files)
            _check_thing(Kind(kind), name)
        case _:
            raise MalformedInput("a thing has kind, name, digest and files", source=source)
    paths = [file.path for file in kept]
    if len(set(paths)) != len(paths):
        raise MalformedInput(f"a file of {name} stands twice", source=source)
    return Thing(Kind(kind), name, Digest.parse(of), kept)


def _check_thing(kind: Kind, name: str) -> None:
    if kind is Kind.MODEL:
        model_name(name)
        return
    dataset, slash, epoch = name.partition("/")
    dataset_id(dataset)
    if not slash or not epoch.isascii() or not epoch.isdigit() or epoch != str(int(epoch)):
        raise MalformedInput(f"{name[:80]!r} is not an epoch of a dataset")


def _kept(value: object, source: str) -> Kept:
    match value:
        case [str() as path, str() as of, int() as size] if type(size) is int and size >= 0:
            return Kept(check_name(path), Digest.parse(of), size)
        case _:
            raise MalformedInput("a file has path, digest and size", source=source)
