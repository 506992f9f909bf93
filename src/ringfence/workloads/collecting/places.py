"""Where copies of the home lie: the file `backups.json` in the home, which people fill in."""

import json
from dataclasses import dataclass
from pathlib import Path

from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput
from ringfence.storage.files import read_private

FORMAT = "urn:ringfence:backups:v1"
FILE = "backups.json"
MARKER = "ringfence.json"  # what makes a folder a home
MOST_PLACES, MOST_COPIES = 16, 64


@dataclass(frozen=True, slots=True)
class Places:
    """The folders below which copies of a home lie, each a whole home in a folder of its own."""

    home: Path

    def folders(self) -> list[Path]:
        """Return the folders that people named; none where the file is missing."""
        path = self.home / FILE
        return parse(read_private(path), source=FILE) if path.exists() else []

    def copies(self) -> list[Path]:
        """Return what looks like a copy of a home, the newest of each place first."""
        found: list[Path] = []
        for folder in self.folders():
            markers = sorted(folder.glob(f"*/{MARKER}"), key=_changed, reverse=True)
            found += [marker.parent for marker in markers[:MOST_COPIES]]
        return found

    def apart(self, copy: Path) -> bool:
        """Tell whether a copy lies on another file system than the home."""
        return copy.stat().st_dev != self.home.stat().st_dev


def _changed(path: Path) -> float:
    return (path.parent / "log" / "checkpoint").stat().st_mtime if (path.parent / "log" / "checkpoint").exists() else 0


def parse(data: bytes, *, source: str = "") -> list[Path]:
    """Return the folders that a file names."""
    match digest.loads(data, source=source):
        case {"format": kind, "folders": list() as folders, **rest} if (
            kind == FORMAT and not rest and 1 <= len(folders) <= MOST_PLACES
        ):
            return [_folder(one, source) for one in folders]
        case _:
            raise MalformedInput(f"format is {FORMAT}, folders are 1 to {MOST_PLACES} absolute paths", source=source)


def _folder(value: object, source: str) -> Path:
    if not isinstance(value, str) or not Path(value).is_absolute() or "\0" in value:
        raise MalformedInput(f"{json.dumps(value)[:80]} is not an absolute path", source=source)
    return Path(value)
