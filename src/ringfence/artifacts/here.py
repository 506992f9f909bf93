"""Seal and verify in the server process, for a person at the console, whose passkey then signs what is stated.

The server wraps a new dataset key and never unwraps one; no key of its own states a seal (docs/decisions/0051).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from ringfence.artifacts import statements
from ringfence.artifacts.model import ID_SIZE, DatasetId, DatasetName, Sealed
from ringfence.artifacts.ports import Keyring, PlainTree, Random, Vaults
from ringfence.artifacts.seal import print_seal
from ringfence.artifacts.sealing import NewSeal, seal_tree
from ringfence.artifacts.service import Artifacts
from ringfence.artifacts.verifying import verify
from ringfence.artifacts.waiting import signed
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft

CHUNK = 2**16
LIFE = timedelta(minutes=5, seconds=10)  # an act waits five minutes for its signature

Ask = Callable[[Draft], None]


@dataclass(frozen=True, slots=True)
class SealingHere:
    """Work on bytes that the server process holds."""

    artifacts: Artifacts
    vaults: Vaults
    keyring: Callable[[], AbstractContextManager[Keyring]]
    random: Random
    life: timedelta = LIFE

    def seal(self, caller: Person, name: DatasetName, files: PlainTree, ask: Ask) -> None:
        """Seal files into the next epoch of a dataset, `ask` for the signature, and keep both or neither.

        Raises:
            Refused: nobody signed it in time.
        """
        known = {one.name: one for one in self.artifacts.all(caller.tenant)}
        epochs = {one.dataset: one.epoch for one in known.values()}
        new = self._new(known.get(name))
        with self.keyring() as keyring, self.vaults.staging(caller.tenant, epochs) as staged:
            seal = seal_tree(files, staged, new, keyring, self.random)
            staged.publish(new.dataset, new.epoch)
            draft = statements.sealed(seal, Digest.of(print_seal(seal)), keyring.custody, name)
            with self.artifacts.waiting.expecting(caller.tenant, draft.subjects[0].digest) as signature:
                ask(draft)
                staged.settle(signed(signature, self.life).data)

    def _new(self, last: Sealed | None) -> NewSeal:
        dataset = last.dataset if last else DatasetId(self.random(ID_SIZE).hex())
        return NewSeal(dataset, 1 + (last.epoch if last else 0), CHUNK)

    def verified(self, tenant: Tenant, dataset: DatasetId) -> Draft:
        """Read every byte of a dataset's newest epoch, without any key; return what there is to state about it."""
        known = self.artifacts.one(tenant, dataset)
        with self.vaults.vault(known.dataset, known.epoch) as vault:
            return statements.verified(known, verify(vault, known.seal, known.epoch, erased=known.erased))
