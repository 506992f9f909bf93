"""A sealed dataset on disk, with a control plane and a keyring in memory, as programs read it."""

from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ringfence.artifacts.blobs import Home, PlainFolder
from ringfence.artifacts.filesystem import SealedFileSystem
from ringfence.artifacts.local import RecordedAccess, SealOrder, Workbench
from ringfence.artifacts.model import DatasetName
from ringfence.testing.artifacts import Counting, MemoryControl, MemoryKeyring

SMALLEST_CHUNK = 65536


def send_all(pipe: Connection, samples: Iterable[Any]) -> None:
    """Read everything in a process of its own."""
    pipe.send(list(samples))


class SealedWorld:
    """The dataset `claims` of the given files, sealed below a folder."""

    def __init__(self, home: Path, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            path = home / "src" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self.home, self.control, self.keyring = home, MemoryControl(), MemoryKeyring()
        access = RecordedAccess(self.control)
        self._work = Workbench(self.control, access, Home(home), Counting(b"sealed"))
        self.seal()
        self.options: dict[str, Any] = {"home": str(home), "access": access, "keyring": lambda: self.keyring}

    def seal(self) -> None:
        """Seal what the source folder holds now into the next epoch."""
        order = SealOrder(DatasetName("claims"), SMALLEST_CHUNK)
        self._work.seal(order, PlainFolder(self.home / "src"), self.keyring)

    def filesystem(self, **more: Any) -> SealedFileSystem:
        """Return a file system that asks this control plane."""
        return SealedFileSystem(**self.options, **more)

    @property
    def openings(self) -> list[str]:
        """Return the purposes of the openings that were stated."""
        return [said.claims["purpose"] for said in self.control.stated if said.predicate == "dataset.opened"]

    def objects(self) -> list[Path]:
        """Return the sealed objects, the largest last."""
        return sorted(self.home.glob("datasets/*/1/objects/*"), key=lambda path: path.stat().st_size)

    def flip_a_bit(self) -> None:
        """Damage the last byte of the largest object."""
        data = bytearray(self.objects()[-1].read_bytes())
        data[-1] ^= 1
        self.objects()[-1].write_bytes(data)
