"""Read a `run.manifest` back, and hold it against itself and its details (docs/specs/predicates/run.manifest.md)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.artifacts.model import DatasetId, dataset_id, epoch_number
from ringfence.artifacts.models.model import MAX_FILES
from ringfence.compute.model import NodeClass, node_id
from ringfence.kernel.clock import from_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.statement import Statement
from ringfence.workloads.runs.manifest import MANIFEST, STRENGTH, committed, committed_text, folder
from ringfence.workloads.runs.model import (
    MAX_BASES,
    MAX_DIFF,
    MAX_INPUTS,
    MAX_SEED,
    CodeKind,
    Entry,
    EntryKind,
    InputPlace,
    Lock,
    Outcome,
    Output,
    Outputs,
)
from ringfence.workloads.runs.privacy import MAX_CLAIMS
from ringfence.workloads.runs.privacy import parse as parse_privacy
from ringfence.workloads.runs.surveying import lock_digest

_HEX32 = re.compile(r"[0-9a-f]{32}")
_COMMIT = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})?")
_TEXT = re.compile(r"[ -~]{0,100}")


@dataclass(frozen=True, slots=True)
class StatedInput:
    """An input as a statement names it; the control plane looks whether it knows it."""

    dataset: DatasetId
    epoch: int
    seal: Digest
    ciphertext_root: Digest
    plaintext_root: Digest


def read(statement: Statement) -> tuple[StatedInput, ...]:
    """Return the inputs of a well-formed `run.manifest`, or raise."""
    if statement.predicate != MANIFEST:
        raise MalformedInput(f"this address takes {MANIFEST}, not {statement.predicate}")
    if statement.issuance.strength is not STRENGTH:
        raise Refused(f"{MANIFEST} has strength {STRENGTH.text}, not {statement.issuance.strength.text}")
    found = statement.claims
    if found.keys() != _SHAPE.keys():
        raise MalformedInput(f"the claims of {MANIFEST} are {', '.join(_SHAPE)}")
    for name, check in _SHAPE.items():
        try:
            check(found[name])
        except MalformedInput as error:
            raise MalformedInput(f"claim {name}: {error}") from error
    _agree(statement)
    return tuple(map(_input, found["inputs"]))


def _agree(statement: Statement) -> None:
    """Hold against each other what a statement says twice."""
    said = statement.claims
    named = {subject.name: str(subject.digest) for subject in statement.subjects[1:]}
    expected = {f"outputs/{said['run']}": said["outputsDigest"]} if said["outputs"] else {}
    well = (said["exitCode"], said["signal"]) == (0, 0)
    fitting = {Outcome.COMPLETED: well, Outcome.FAILED: not well, Outcome.LOST: said["exitCode"] == -1}
    for holds, sentence in (
        (statement.subjects[0].name == f"run/{said['run']}", "its first subject is the run"),
        (named == expected, "its other subject is the folder of its outputs, where there are any"),
        (bool(said["outputs"]) == bool(said["outputsDigest"]), "outputs have a digest, and only they"),
        (fitting.get(said["outcome"], True), "a run is completed where it ended with 0, and only then"),
        (bool(said["inputs"]) == (said["inputPlace"] != InputPlace.NONE), "inputs have a place, and only they"),
        (bool(said["diffBytes"]) == bool(said["diffCommitment"]), "a difference has a commitment, and only it"),
        (not (said["diffBytes"] and said["diffLeftOut"]), "a difference is kept or left out"),
        (said["commit"] != "" or not said["diffBytes"], "only a commit can be differed from"),
        (bool(said["models"]) or not said["baseChanged"], "only a base model that is named can change"),
        (bool(said["node"]) == bool(said["nodeClass"]), "a node has a class, and only it"),
        (from_text(said["startedAt"]) <= from_text(said["endedAt"]), "it ended before it started"),
        (said["commit"] == "" or said["code"] == CodeKind.GIT, "only a repository has a commit"),
    ):
        if not holds:
            raise MalformedInput(f"{MANIFEST}: {sentence}")


def check_details(statement: Statement, told: Mapping[str, Any]) -> None:
    """Return where the side record is what the claims commit to; raise `MalformedInput`.

    So that, for as long as it is kept, every digest of the statement leads to names, packages and files.
    """
    said = statement.claims
    try:
        salt = bytes.fromhex(told["salt"])
        listed = {
            name: committed([_entry(row) for row in told[name]], salt) == said[f"{name}Commitment"]
            for name in ("changes", "shipped")
        }
        diff = str(told["diff"])
        listed["diff"] = committed_text(diff, salt) == said["diffCommitment"]
        listed["diff"] &= len(diff.encode()) == said["diffBytes"]
        bases = sorted(str(Digest.parse(value)) for _, value in told["bases"])
        listed["bases"] = bases == [base["digest"] for base in said["models"]]
        lock = Lock(said["python"], said["platform"], tuple(map(str, told["packages"])))
        left = Outputs(tuple(map(_output, told["outputs"])))
        listed["packages"] = str(lock_digest(lock)) == said["environment"]
        listed["outputs"] = str(folder(left.files) or "") == said["outputsDigest"]
        listed["sizes"] = left.size == said["outputBytes"]
        for name in ("changes", "shipped", "packages", "outputs"):
            listed[name] &= len(told[name]) == said[name]
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedInput("the details of run.manifest are not as `ringfence run` posts them") from error
    wrong = [name for name, holds in listed.items() if not holds]
    if wrong:
        raise MalformedInput(f"the details of run.manifest are not what it commits to: {', '.join(wrong)}")


def _entry(row: Sequence[Any]) -> Entry:
    path, kind, value = row
    return Entry(str(path), EntryKind(kind), Digest.parse(value))


def _output(row: Sequence[Any]) -> Output:
    path, size, value = row
    return Output(str(path), int(size), Digest.parse(value))


def _input(value: object) -> StatedInput:
    match value:
        case {
            "dataset": dataset,
            "epoch": epoch,
            "seal": seal,
            "ciphertextRoot": ciphertext,
            "plaintextRoot": plaintext,
            **rest,
        } if not rest:
            roots = _digest(ciphertext), _digest(plaintext)
            return StatedInput(dataset_id(dataset), epoch_number(epoch), _digest(seal), *roots)
        case _:
            raise MalformedInput("an input is a dataset, its epoch, its seal and its two roots")


def _inputs(value: object) -> None:
    if not isinstance(value, list) or len(value) > MAX_INPUTS:
        raise MalformedInput(f"it lists at most {MAX_INPUTS} inputs")
    datasets = [_input(item).dataset for item in value]
    if datasets != sorted(set(datasets)):
        raise MalformedInput("it lists each dataset once, in order")


def _models(value: object) -> None:
    if not isinstance(value, list) or len(value) > MAX_BASES:
        raise MalformedInput(f"it lists at most {MAX_BASES} base models")
    found = [_model(item) for item in value]
    if found != sorted(set(found)):
        raise MalformedInput("it lists each base model once, in order")


def _model(value: object) -> Digest:
    match value:
        case {"digest": found, "files": files, **rest} if not rest:
            _number(1, MAX_FILES)(files)
            return _digest(found)
        case _:
            raise MalformedInput("a base model is its digest and how many files it has")


def _privacy(value: object) -> None:
    if not isinstance(value, list) or len(value) > MAX_CLAIMS:
        raise MalformedInput(f"it lists at most {MAX_CLAIMS} claims about privacy")
    for item in value:
        parse_privacy(item)


def _digest(value: object) -> Digest:
    found = Digest.parse(value)
    if str(found) != value:
        raise MalformedInput("it is written sha256:<hex>")
    return found


def _commitment(value: object) -> None:
    if value != "":
        _digest(value)


def _number(least: int, most: int = 2**53) -> Callable[[object], None]:
    def check(value: object) -> None:
        if type(value) is not int or not least <= value <= most:
            raise MalformedInput(f"it is a number from {least} to {most}")

    return check


def _like(pattern: re.Pattern[str], what: str) -> Callable[[object], None]:
    def check(value: object) -> None:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise MalformedInput(f"it is {what}")

    return check


def _one_of(*allowed: str) -> Callable[[object], None]:
    def check(value: object) -> None:
        if not isinstance(value, str) or value not in allowed:
            raise MalformedInput(f"it is one of {', '.join(filter(None, allowed))}")

    return check


def _flag(value: object) -> None:
    if not isinstance(value, bool):
        raise MalformedInput("it is true or false")


def _node(value: object) -> None:
    if value != "":
        node_id(value)


def _devices(value: object) -> None:
    if not isinstance(value, list) or len(value) > 16:
        raise MalformedInput("it lists devices")
    for item in value:
        _text(item)


_text = _like(_TEXT, "printable ASCII, at most 100 characters")
_count = _number(0)
_SHAPE: Mapping[str, Callable[[object], object]] = {
    "run": _like(_HEX32, "32 hexadecimal digits"),
    "node": _node,
    "nodeClass": _one_of("", *(known.value for known in NodeClass)),
    "isolation": _text,
    "inputs": _inputs,
    "models": _models,
    "baseChanged": _flag,
    "inputPlace": _one_of(*(known.value for known in InputPlace)),
    "swapPossible": _flag,
    "code": _one_of(*(known.value for known in CodeKind)),
    "commit": _like(_COMMIT, "a commit of git, or nothing"),
    "dirty": _flag,
    "changes": _count,
    "changesCommitment": _commitment,
    "diffBytes": _number(0, 4 * MAX_DIFF),
    "diffCommitment": _commitment,
    "diffLeftOut": _flag,
    "shipped": _count,
    "shippedCommitment": _commitment,
    "codeChanged": _flag,
    "environment": _digest,
    "packages": _count,
    "python": _text,
    "platform": _text,
    "seed": _number(0, MAX_SEED),
    "cpu": _text,
    "cores": _count,
    "memoryMib": _count,
    "accelerators": _devices,
    "startedAt": from_text,
    "endedAt": from_text,
    "outcome": _one_of(*(known.value for known in Outcome)),
    "exitCode": _number(-1, 255),
    "signal": _number(0, 64),
    "outputs": _count,
    "outputBytes": _count,
    "outputsSkipped": _count,
    "outputsDigest": _commitment,
    "privacy": _privacy,
}
