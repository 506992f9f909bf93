"""Work on local bytes, and the statement of its outcome: what `ringfence dataset` does."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.artifacts import statements
from ringfence.artifacts.model import ID_SIZE, SALT_SIZE, DatasetId, DatasetName, Sealed, Verdict, purpose
from ringfence.artifacts.opening import extract, open_dataset
from ringfence.artifacts.ports import Access, Control, Folder, Keyring, PlainTree, Random, Vaults
from ringfence.artifacts.provenance import Provenance
from ringfence.artifacts.seal import print_seal
from ringfence.artifacts.sealing import NewSeal, seal_tree
from ringfence.artifacts.verifying import verify
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, NotFound, Unavailable
from ringfence.kernel.evidence import Stage

API = "/api/v1/datasets"
AUDIT_PURPOSE = "audit"  # an audit uses the key, so it is recorded like any other opening


def recorded(control: Control) -> dict[DatasetName, Sealed]:
    """Return the newest epoch of every dataset that the control plane has recorded."""
    found = map(statements.from_json, control.get(API)["datasets"])
    return {dataset.name: dataset for dataset in found}


@dataclass(frozen=True, slots=True)
class RecordedAccess:
    """The `Access` port over the control plane."""

    control: Control

    def known(self) -> list[Sealed]:
        """Return what is recorded, without any use of a key."""
        return list(recorded(self.control).values())

    def request(self, name: DatasetName, code: str) -> Sealed:
        """Record `dataset.opened`; return only once it is published."""
        draft_purpose = purpose(code)
        dataset = _find(recorded(self.control), name)
        draft = statements.opened(dataset, draft_purpose)
        answer = self.control.state(draft, path=f"{API}/{dataset.dataset}/opened", body={})
        if answer["statement"]["stage"] not in {Stage.PUBLISHED.value, Stage.WITNESSED.value}:
            raise Unavailable("the opening was not published, so the key is not used; is the log's integrator running?")
        return dataset


@dataclass(frozen=True, slots=True)
class SealOrder:
    """What a person asks to be sealed."""

    name: DatasetName
    chunk_size: int
    epoch: int | None = None  # None: the next one
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True)
class Workbench:
    """Seal, open and verify on this machine, and state it."""

    control: Control
    access: Access
    vaults: Vaults
    random: Random

    def seal(self, order: SealOrder, files: PlainTree, keyring: Keyring) -> dict[str, Any]:
        """Seal `files` into the next epoch of a dataset, and state it; return the answer of the control plane."""
        known = recorded(self.control)
        new = self._new(order, known.get(order.name))
        with self.vaults.staging(self.control.tenant, _epochs(known)) as staged:
            seal = seal_tree(files, staged, new, keyring, self.random)
            staged.publish(new.dataset, new.epoch)
            draft = statements.sealed(seal, Digest.of(print_seal(seal)), keyring.custody, order.name)
            answer = dict(self.control.state(draft, path=API, body={"name": order.name}))
            envelope = answer.pop("envelope")
            staged.settle(base64.b64decode(envelope) if envelope else None)
        return answer | self._provenance(statements.from_json(answer), order.provenance)

    def _new(self, order: SealOrder, last: Sealed | None) -> NewSeal:
        following = 1 + (last.epoch if last else 0)
        if order.epoch not in {None, following}:
            raise Conflict(f"the next epoch of {order.name} is {following}, not {order.epoch}")
        dataset = last.dataset if last else DatasetId(self.random(ID_SIZE).hex())
        return NewSeal(dataset, following, order.chunk_size)

    def _provenance(self, dataset: Sealed, told: Provenance | None) -> dict[str, Any]:
        if told is None:
            return {}
        draft = statements.provenance(dataset, told, self.random(SALT_SIZE))
        answer = self.control.state(draft, path=f"{API}/{dataset.dataset}/provenance", body={})
        return {"provenance": answer["statement"]}

    def open(self, name: DatasetName, code: str, keyring: Callable[[], Keyring], folder: Folder) -> dict[str, Any]:
        """Write the files of a dataset into `folder`, after the opening has been recorded."""
        dataset = self.access.request(name, code)
        with (
            self.vaults.vault(dataset.dataset, dataset.epoch) as vault,
            open_dataset(vault, dataset.seal, dataset.epoch, keyring()) as opened,
        ):
            extract(opened, folder)
        return statements.to_json(dataset) | {"purpose": code}

    def verify(self, name: DatasetName, keyring: Callable[[], Keyring] | None) -> dict[str, Any]:
        """Verify the newest epoch and state the outcome; with a keyring in `audit` mode."""
        storage = keyring is None
        dataset = _find(recorded(self.control), name) if storage else self.access.request(name, AUDIT_PURPOSE)
        with self.vaults.vault(dataset.dataset, dataset.epoch) as vault:
            verdict = verify(vault, dataset.seal, dataset.epoch, keyring() if keyring else None)
        draft = statements.verified(dataset, verdict)
        answer = self.control.state(draft, path=f"{API}/{dataset.dataset}/verified", body={})
        return _report(dataset, verdict) | {"statement": answer["statement"]}


def _report(dataset: Sealed, verdict: Verdict) -> dict[str, Any]:
    return {
        "dataset": dataset.dataset,
        "name": dataset.name,
        "epoch": dataset.epoch,
        "mode": verdict.mode.value,
        "result": "pass" if verdict.passed else "fail",
        "chunks": verdict.chunks,
        "failed": [failure.to_json() for failure in verdict.failures],
    }


def _find(known: Mapping[DatasetName, Sealed], name: DatasetName) -> Sealed:
    if name not in known:
        raise NotFound(f"no dataset {name} is recorded in this tenant; see `ringfence dataset list`")
    return known[name]


def _epochs(known: Mapping[DatasetName, Sealed]) -> dict[DatasetId, int]:
    return {dataset.dataset: dataset.epoch for dataset in known.values()}
