"""The quarantine on disk: a folder per model below the home, for its owner only; what lies there is never executed.

A fetch that was killed goes on where it stopped: a file is complete once it has its own name, and what is on its way
has `.part` behind it. Nothing here is trusted a second time: whoever lets a model in hashes the copy that is kept.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ringfence.artifacts.blobs import locked
from ringfence.artifacts.models.blobs import ModelFolder, model_folder
from ringfence.artifacts.models.model import ModelName, model_name
from ringfence.artifacts.provenance import licence
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound
from ringfence.storage.files import PRIVATE, explained, read_private, write_whole
from ringfence.workloads.intake.model import FOLDER, Told, country_code

NOTE, FILES = "intake.json", "files"
FORMAT = "urn:ringfence:intake:v1"


@dataclass(frozen=True, slots=True)
class Place:
    """One model's folder in the quarantine."""

    path: Path

    @property
    def files(self) -> Path:
        """Return the folder of the model's files."""
        return self.path / FILES

    @contextmanager
    def opened(self) -> Iterator[ModelFolder]:
        """Open the model's folder."""
        with model_folder(self.files) as folder:
            yield folder

    def told(self) -> Told:
        """Return what was said when it was brought in."""
        return parse(read_private(self.path / NOTE), source=str(self.path / NOTE))


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The models in quarantine on this machine, by name."""

    home: Path

    @property
    def root(self) -> Path:
        """Return where they lie."""
        return self.home / FOLDER

    def names(self) -> list[str]:
        """Return every name, in order."""
        if not self.root.is_dir():
            return []
        with explained(self.root, "read"):
            return sorted(path.name for path in self.root.iterdir() if (path / NOTE).is_file())

    def one(self, name: ModelName) -> Place:
        """Return a model's place; raise `NotFound`."""
        place = Place(self.root / name)
        if not (place.path / NOTE).is_file():
            raise NotFound(f"no model {name} lies in quarantine on this machine")
        return place

    @contextmanager
    def filling(self, name: ModelName, told: Told) -> Iterator[Place]:
        """Give the place of a model that is being brought in, a new one or one that was begun with the same words.

        Raises:
            Conflict: something else lies there under this name, or another process fills it.
        """
        place = Place(self.root / model_name(name))
        with explained(self.root, "create"):
            self.root.mkdir(mode=0o700, exist_ok=True)
            place.path.mkdir(mode=0o700, exist_ok=True)
            place.files.mkdir(mode=0o700, exist_ok=True)
        held = locked(place.path)
        if held is None:
            raise Conflict(f"{name} is being brought in by another process")
        try:
            if (place.path / NOTE).exists():
                if place.told() != told:
                    raise Conflict(
                        f"something else lies in quarantine as {name}; decide about it, or choose another name"
                    )
            else:
                write_whole(place.path / NOTE, printed(told), mode=PRIVATE)
            yield place
        finally:
            os.close(held)

    def discard(self, name: ModelName) -> None:
        """Remove a model's files, renamed away first so that no half of it stays under its name."""
        place = self.one(name)
        doomed = place.path.with_name(f".{name}.{os.urandom(6).hex()}")
        with explained(place.path, "remove"):
            place.path.rename(doomed)
            shutil.rmtree(doomed)

    def covers(self, path: Path) -> bool:
        """Tell whether a path leads into the quarantine, through whatever links."""
        return path.resolve().is_relative_to(self.root.resolve())


def printed(told: Told) -> bytes:
    """Print what was said when a model was brought in."""
    return digest.dumps(
        {
            "format": FORMAT,
            "expected": str(told.expected),
            "licence": told.licence,
            "country": told.country,
            "owner": told.owner,
            "from": told.origin,
        }
    )


def parse(data: bytes, *, source: str) -> Told:
    """Read it back; raise `MalformedInput`."""
    match digest.loads(data, source=source):
        case {
            "format": kind,
            "expected": str() as expected,
            "licence": str() as named,
            "country": str() as country,
            "owner": str() as owner,
            "from": str() as origin,
            **more,
        } if kind == FORMAT and not more:
            return Told(Digest.parse(expected), licence(named), country_code(country), owner, origin)
        case _:
            raise MalformedInput("not the note of an intake", source=source)
