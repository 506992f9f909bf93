"""Seals in memory that are stopped at a write, and gone on with."""

from collections.abc import Mapping

from ringfence.artifacts.model import DatasetName, NewSeal, Seal
from ringfence.artifacts.opening import extract, open_dataset
from ringfence.artifacts.ports import Moved
from ringfence.artifacts.resuming import Plan, alone, seal_files
from ringfence.artifacts.seal import print_seal
from ringfence.artifacts.verifying import verify
from ringfence.kernel.digest import Digest
from ringfence.testing.artifacts import Counting, MemoryFolder, MemoryKeyring, MemoryTree, MemoryWork

NAME = DatasetName("claims")


class Unfinished:
    """One seal, and what everybody needs who goes on with it."""

    def __init__(self, new: NewSeal, contents: Mapping[str, bytes]) -> None:
        self.new, self.contents = new, dict(contents)
        self.work, self.keyring, self.random = MemoryWork(), MemoryKeyring(), Counting()
        self.plans: list[Plan] = []
        self.moved = 0

    def run(self, writes: int = 2**40, torn: int = 0, tree: MemoryTree | None = None) -> Seal:
        """Seal, or go on; after so many writes the disk is full, and so many bytes of the next one are on it."""
        self.work.writes, self.work.torn, self.moved = writes, torn, 0
        tree = tree or MemoryTree(self.contents)
        crew = alone(self.random)
        return seal_files(NAME, tree, self.work, self.new, self.keyring, self.random, crew, self._planned)

    def _planned(self, plan: Plan) -> Moved:
        self.plans.append(plan)
        return self.heard

    def heard(self, size: int) -> None:
        """Count what was moved."""
        self.moved += size

    def check(self, seal: Seal) -> None:
        """Check that the sealed dataset is whole, and holds the contents."""
        vault, folder = self.work.vault, MemoryFolder()
        del vault.files["journal"]
        digest = Digest.of(print_seal(seal))
        assert verify(vault, digest, 1, self.keyring).failures == ()
        with open_dataset(vault, digest, 1, self.keyring) as dataset:
            extract(dataset, folder)
        assert folder.files == self.contents
