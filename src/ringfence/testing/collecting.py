"""What collectors look at, made up: clocks, volumes, channels, times of files; and copies of a home."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ringfence.kernel.errors import Unavailable
from ringfence.testing.home import LabHome
from ringfence.workloads.collecting.channels import Address, Handshake
from ringfence.workloads.collecting.places import FILE, FORMAT
from ringfence.workloads.collecting.timekeeping import Discipline
from ringfence.workloads.collecting.volumes import Volume


@dataclass(frozen=True, slots=True)
class FakeTimekeeper:
    """A clock of which everything is known."""

    found: Discipline

    def discipline(self) -> Discipline:
        """Return it."""
        return self.found


@dataclass(frozen=True, slots=True)
class FakeVolumes:
    """File systems on paper."""

    found: Sequence[Volume]

    def below(self, folders: Iterable[Path]) -> Sequence[Volume]:
        """Return them all, wherever somebody looks."""
        return self.found if list(folders) else ()


@dataclass(frozen=True, slots=True)
class FakeWire:
    """Listeners and handshakes on paper; who is in no list does not answer."""

    listening: Sequence[Address] = ()
    answers: dict[Address, Handshake] = field(default_factory=dict)

    def listeners(self) -> Sequence[Address]:
        """Return them."""
        return self.listening

    def handshake(self, address: Address) -> Handshake:
        """Return what was prepared."""
        if address not in self.answers:
            raise Unavailable(f"{address.host} does not answer")
        return self.answers[address]


@dataclass(frozen=True, slots=True)
class FakeFiles:
    """Times of files on paper."""

    written: dict[str, datetime] = field(default_factory=dict)

    def written_at(self, path: str) -> datetime | None:
        """Return the time; None for any other file."""
        return self.written.get(path)


def name_places(home: Path, *folders: Path) -> None:
    """Write the file that says where copies lie."""
    path = home / FILE
    path.touch(mode=0o600)
    path.write_text(json.dumps({"format": FORMAT, "folders": [str(folder) for folder in folders]}))


def copied(home: LabHome, place: Path, name: str = "monday") -> Path:
    """Copy an installation that nothing writes to now, as docs/how-to/back-up-and-restore.md says."""
    place.mkdir(exist_ok=True)
    return home.copy(place / name).path
