"""Work on local bytes, and the statement of its outcome: what `ringfence dataset` does."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ringfence.artifacts import statements
from ringfence.artifacts.journal import Order
from ringfence.artifacts.model import (
    ID_SIZE,
    LARGE,
    SALT_SIZE,
    DatasetId,
    DatasetName,
    NewSeal,
    Sealed,
    Verdict,
    purpose,
)
from ringfence.artifacts.opening import OpenDataset, extract, open_dataset, signed_seal
from ringfence.artifacts.ports import (
    Access,
    Control,
    Crew,
    Folder,
    Keyring,
    Moved,
    NamedTree,
    Random,
    Vaults,
    Work,
    Wrappings,
)
from ringfence.artifacts.provenance import Provenance
from ringfence.artifacts.resuming import Plan, alone, is_of, resumed, seal_files
from ringfence.artifacts.seal import print_seal
from ringfence.artifacts.verifying import verify
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, InternalError, NotFound, RingfenceError, Unavailable
from ringfence.kernel.evidence import Stage

API = "/api/v1/datasets"
_PUBLISHED = {Stage.PUBLISHED.value, Stage.WITNESSED.value}
AUDIT_PURPOSE = "audit"  # an audit uses the key, so it is recorded like any other opening


def recorded(control: Control) -> dict[DatasetName, Sealed]:
    """Return the newest epoch of every dataset that the control plane has recorded."""
    found = map(statements.from_json, control.get(API)["datasets"])
    return {dataset.name: dataset for dataset in found}


def recorded_epochs(control: Control) -> list[Sealed]:
    """Return every epoch that the control plane has recorded."""
    return list(map(statements.from_json, control.get(f"{API}/epochs")["epochs"]))


def found(control: Control, name: DatasetName, epoch: int | None) -> Sealed:
    """Return one epoch of a dataset, the newest where none is named; raise `NotFound`."""
    if epoch is None:
        return _find(recorded(control), name)
    known = {one.epoch: one for one in recorded_epochs(control) if one.name == name}
    if epoch not in known:
        last = max(known, default=0)
        because = f"its newest is {last}" if last else "see `ringfence dataset list`"
        raise NotFound(f"no epoch {epoch} of dataset {name} is recorded in this tenant; {because}")
    return known[epoch]


@dataclass(frozen=True, slots=True)
class RecordedAccess:
    """The `Access` port over the control plane."""

    control: Control

    def known(self) -> list[Sealed]:
        """Return what is recorded, without any use of a key."""
        return list(recorded(self.control).values())

    def request(self, name: DatasetName, code: str, epoch: int | None = None) -> Sealed:
        """Record `dataset.opened`; return only once it is published."""
        draft_purpose = purpose(code)
        dataset = found(self.control, name, epoch)
        dataset.check_kept()
        draft = statements.opened(dataset, draft_purpose)
        answer = self.control.state(draft, path=f"{API}/{dataset.dataset}/opened", body={})
        if answer["statement"]["stage"] not in _PUBLISHED:
            raise Unavailable("the opening was not published, so the key is not used; is the log's integrator running?")
        return dataset


@dataclass(frozen=True, slots=True)
class SealOrder:
    """What a person asks to be sealed."""

    name: DatasetName
    chunk_size: int
    epoch: int | None = None  # None: the next one
    provenance: Provenance | None = None
    anew: bool = False  # drop what an unfinished seal of this name has done
    large: int = LARGE  # bytes of a file from which on it goes on inside


def silent(plan: Plan) -> Moved:
    """Show no progress."""
    del plan
    return lambda _size: None


@dataclass(frozen=True, slots=True)
class Workbench:
    """Seal, open and verify on this machine, and state it."""

    control: Control
    access: Access
    vaults: Vaults
    random: Random
    crew: Crew | None = None  # by default this process alone

    def seal(
        self, order: SealOrder, files: NamedTree, keyring: Keyring, planned: Callable[[Plan], Moved] = silent
    ) -> dict[str, Any]:
        """Seal `files` into the next epoch of a dataset, and state it; return the answer of the control plane.

        Where an earlier seal of the same name did not come to its end, this goes on with it.
        """
        known = recorded(self.control)
        wanted = self._new(order, known.get(order.name))
        ask = Order(order.name, wanted.dataset, wanted.epoch, wanted.chunk_size)

        dropped: list[str] = []

        def mine(work: Work) -> bool | None:
            found = is_of(work, keyring, ask, dropped.append)
            return None if found and order.anew else found

        def told(plan: Plan) -> Moved:
            return planned(replace(plan, dropped=tuple(dropped)))

        with self.vaults.working(self.control.tenant, _epochs(known), mine) as staged:
            new = resumed(staged, wanted)
            crew = self.crew or alone(self.random)
            seal = seal_files(order.name, files, staged, new, keyring, self.random, crew, told)
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
        return NewSeal(dataset, following, order.chunk_size, order.large)

    def _provenance(self, dataset: Sealed, told: Provenance | None) -> dict[str, Any]:
        if told is None:
            return {}
        draft = statements.provenance(dataset, told, self.random(SALT_SIZE))
        answer = self.control.state(draft, path=f"{API}/{dataset.dataset}/provenance", body={})
        return {"provenance": answer["statement"]}

    def open(
        self, name: DatasetName, code: str, keyring: Callable[[], Keyring], folder: Folder, epoch: int | None = None
    ) -> dict[str, Any]:
        """Write the files of a dataset into `folder`, after the opening has been recorded."""
        with self.opened(name, code, keyring, epoch) as (dataset, opened):
            extract(opened, folder)
        return statements.to_json(dataset) | {"purpose": code}

    @contextmanager
    def opened(
        self, name: DatasetName, code: str, keyring: Callable[[], Keyring], epoch: int | None = None
    ) -> Iterator[tuple[Sealed, OpenDataset]]:
        """Open a dataset, after that has been recorded."""
        dataset = self.access.request(name, code, epoch)
        with (
            self.vaults.vault(dataset.dataset, dataset.epoch) as vault,
            open_dataset(vault, dataset.seal, dataset.epoch, keyring()) as opened,
        ):
            yield dataset, opened

    def verify(
        self, name: DatasetName, keyring: Callable[[], Keyring] | None, epoch: int | None = None
    ) -> dict[str, Any]:
        """Verify an epoch and state the outcome; with a keyring in `audit` mode."""
        storage = keyring is None
        dataset = found(self.control, name, epoch) if storage else self.access.request(name, AUDIT_PURPOSE, epoch)
        with self.vaults.vault(dataset.dataset, dataset.epoch) as vault:
            key = keyring() if keyring else None
            verdict = verify(vault, dataset.seal, dataset.epoch, key, erased=dataset.erased)
        draft = statements.verified(dataset, verdict)
        answer = self.control.state(draft, path=f"{API}/{dataset.dataset}/verified", body={})
        return _report(dataset, verdict) | {"statement": answer["statement"]}

    def erase(self, name: DatasetName, because: str, wrappings: Wrappings, epoch: int | None = None) -> dict[str, Any]:
        """Destroy the key of an epoch for good: announce it, wait until that is published, destroy, state it."""
        dataset = found(self.control, name, epoch)
        if dataset.erasure is not None and dataset.erasure.done:
            raise Conflict(f"epoch {dataset.epoch} of {name} was erased already")
        with self.vaults.vault(dataset.dataset, dataset.epoch):
            pass  # where its key does not lie, nobody promises to destroy it
        draft = statements.erasure_requested(dataset, because)
        answer = self.control.state(draft, path=f"{API}/{dataset.dataset}/erasures", body={})
        if answer["statement"]["stage"] not in _PUBLISHED:
            raise Unavailable(
                "the erasure was not published, so nothing is destroyed; is the log's integrator running?"
            )
        return self.erased(found(self.control, name, dataset.epoch), wrappings)

    def erased(self, dataset: Sealed, wrappings: Wrappings) -> dict[str, Any]:
        """Destroy what an announced erasure speaks of, or what is left of it, and state it."""
        if dataset.erasure is None:
            raise InternalError("nothing is destroyed that was not announced")
        dataset.check_released()
        with self.vaults.vault(dataset.dataset, dataset.epoch) as vault:
            gone = wrappings.destroy(dataset)
            commitment = signed_seal(vault, dataset.seal, dataset.epoch).key_commitment  # whatever else is damaged
        draft = statements.erased(dataset, dataset.erasure.requested, commitment, gone)
        answer = self.control.state(draft, path=f"{API}/{dataset.dataset}/erased", body={})
        wrappings.forget(dataset)
        listed = draft.claims["wrappings"]
        return statements.to_json(dataset) | {"wrappings": listed, "statement": answer["statement"]}

    def finish_erasures(self, wrappings: Wrappings) -> list[dict[str, Any]]:
        """Carry out what was announced and not finished, as far as it lies on this machine."""
        done, problems = [], []
        for dataset in recorded_epochs(self.control):
            if dataset.erasure is not None and not dataset.erasure.done:
                try:
                    done.append(self.erased(dataset, wrappings))
                except NotFound:
                    continue  # it lies in another home, where somebody finishes it
                except RingfenceError as error:
                    problems.append(error)
        if problems:
            raise problems[0]
        return done


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
