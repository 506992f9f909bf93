"""A home with sealed datasets and a signed model on disk, and backups of it: for tests of backups and drills."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from ringfence.artifacts.models.blobs import model_folder
from ringfence.artifacts.models.model import ModelName
from ringfence.artifacts.models.store import Shelf, sign_folder
from ringfence.testing.artifacts import sealed_in_memory
from ringfence.testing.models import key
from ringfence.workloads.backups.making import Made, Making, wanted_of
from ringfence.workloads.backups.restoring import MARK, Restored, Restoring, Stated
from ringfence.workloads.backups.target import FolderTarget, Target

NOW = "2026-11-20T10:00:00.000Z"


@dataclass
class Shelves:
    """Two sealed epochs and a model in a home, and where they are backed up."""

    path: Path
    epochs: list[dict[str, Any]]
    models: dict[str, str]
    targets: tuple[Target, Target]
    wall: int = 0  # nanoseconds

    def make(self) -> Made:
        """Back it up."""
        return Making(*self.targets, lambda: NOW)(wanted_of(self.path, self.epochs, self.models))

    def restore(self, done: Made, place: Path) -> Restored:
        """Restore it; each look at the stopwatch takes a second and a half."""
        return Restoring(*self.targets, place, [key().public], stopwatch(), lambda: self.wall)(
            Stated(done.digest, done.keys)
        )


def stopwatch() -> Callable[[], int]:
    """Return a stopwatch that goes on by a second and a half each time."""
    ticks = count(0, 1_500_000_000)
    return lambda: next(ticks)


def shelves(folder: Path) -> Shelves:
    """Fill a home below a folder."""
    path = folder / "home"
    path.mkdir()
    plain = [{"a.txt": b"words", "big.bin": bytes([number]) * 70_000} for number in range(2)]
    made = [sealed_in_memory(one, dataset=f"{number}" * 32) for number, one in enumerate(plain)]
    for one in made:
        place = path / "datasets" / one.seal.dataset / str(one.seal.epoch)
        for name, data in one.vault.files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(data)
        (place / "pending").write_text("main")
        (place / ".key.json.partial-0123").write_bytes((place / "key.json").read_bytes())  # as a kill leaves it
    with Shelf(path).new(ModelName("tiny")) as staged:
        (staged / "model.txt").write_bytes(b"plain words")
        with model_folder(staged) as opened:
            signed = sign_folder(opened, staged, key())
    epochs = [
        {"dataset": one.seal.dataset, "epoch": one.seal.epoch, "seal": str(one.digest), "erasure": None} for one in made
    ]
    targets = FolderTarget(folder / "backup"), FolderTarget(folder / "keys")
    return Shelves(path, epochs, {"tiny": str(signed.manifest.digest)}, targets)


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, but for the mark of a drill."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != MARK)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
