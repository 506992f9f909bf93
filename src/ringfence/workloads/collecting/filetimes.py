"""When files were written, as `coverage.Files` wants to know it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileTimes:
    """The file system; relative names are below `root`."""

    root: Path

    def written_at(self, path: str) -> datetime | None:
        """Return when a file was last written; None where there is none, or where it cannot be seen."""
        try:
            return datetime.fromtimestamp((self.root / path).stat().st_mtime, tz=UTC)
        except OSError:
            return None
