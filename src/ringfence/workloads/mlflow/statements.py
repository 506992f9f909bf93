"""What is stated about a run of another system, and how it is read back (docs/specs/predicates/run.imported.md)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ringfence.artifacts.model import dataset_id, epoch_number
from ringfence.artifacts.statements import count, one_of, tagged
from ringfence.kernel import digest
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Statement, Strength, Subject
from ringfence.workloads.mlflow.model import MAX_FOLDERS, MAX_INPUTS, SYSTEM, ForeignRun, Status, run_id
from ringfence.workloads.runs.manifest import folder

IMPORTED = PredicateName("run.imported")
STRENGTH = Strength.DOCUMENTED  # somebody of ours wrote down what the other system says
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")
_COMMIT = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})?")


def named(run: str) -> Digest:
    """Return the digest that a run of MLflow is named by: its own id is random, and the same at every import."""
    return Digest.of(f"urn:ringfence:{SYSTEM}-run:{run}".encode())


def draft(found: ForeignRun, salt: bytes) -> Draft:
    """State what the other system says; the words, which may name anything, go into the details."""
    record = _record(found)
    left = folder(found.outputs.files)
    claims = {
        "run": found.run,
        "system": SYSTEM,
        "systemVersion": found.version,
        "outcome": found.status.value,
        "code": "git" if found.commit else "none",
        "commit": found.commit,
        "inputs": [
            {"dataset": used.dataset, "epoch": used.epoch, "seal": str(used.seal)}
            for used in sorted((one for one in found.used if one.ours), key=lambda one: str(one.dataset))
        ],
        "inputsNamed": len(found.used),
        "parameters": len(found.parameters),
        "metrics": len(found.metrics),
        "tags": len(found.tags),
        "record": str(_committed(record, salt)),
        "startedAt": to_text(found.started_at),
        "endedAt": to_text(found.ended_at) if found.ended_at else "",
        "outputs": len(found.outputs.files),
        "outputBytes": found.outputs.size,
        "outputsSkipped": found.outputs.skipped,
        "outputsDigest": str(left or ""),
        "folders": [str(one) for one in found.folders],
    }
    subjects = [Subject(f"run/{found.run}", named(found.run))]
    subjects += [Subject(f"outputs/{found.run}", left)] if left else []
    subjects += [Subject(f"outputs/{found.run}/{number}", one) for number, one in enumerate(found.folders)]
    details = {"salt": salt.hex(), "record": record}
    return Draft(IMPORTED, tuple(subjects), claims, STRENGTH, details)


def _record(found: ForeignRun) -> dict[str, Any]:
    return {
        "parameters": dict(found.parameters),
        "metrics": dict(found.metrics),
        "tags": dict(found.tags),
        "datasets": [
            {"name": used.name, "digest": used.digest, "sourceType": used.source_type, "context": used.context}
            for used in found.used
        ],
        "outputs": [[file.path, file.size, file.digest.hex] for file in found.outputs.files],
    }


def _committed(record: Mapping[str, Any], salt: bytes) -> Digest:
    return Digest.of(salt + digest.dumps(dict(record)))


def claims_of(statement: Statement) -> Mapping[str, Any]:
    """Return the claims of a well-formed `run.imported`, or raise."""
    if statement.predicate != IMPORTED:
        raise MalformedInput(f"this address takes {IMPORTED}, not {statement.predicate}")
    if statement.issuance.strength is not STRENGTH:
        raise Refused(f"{IMPORTED} is {STRENGTH.text}, not {statement.issuance.strength.text}")
    found = statement.claims
    if found.keys() != _SHAPE.keys():
        raise MalformedInput(f"the claims of {IMPORTED} are {', '.join(_SHAPE)}")
    for name, check in _SHAPE.items():
        try:
            check(found[name])
        except MalformedInput as error:
            raise MalformedInput(f"claim {name}: {error}") from error
    _agree(statement)
    return found


def _agree(statement: Statement) -> None:
    said = statement.claims
    subjects = [(f"run/{said['run']}", named(said["run"]))]
    if said["outputs"]:
        subjects.append((f"outputs/{said['run']}", Digest.parse(said["outputsDigest"] or None)))
    subjects += [(f"outputs/{said['run']}/{number}", Digest.parse(one)) for number, one in enumerate(said["folders"])]
    for holds, sentence in (
        ([(subject.name, subject.digest) for subject in statement.subjects] == subjects, "its subjects are others"),
        (bool(said["outputs"]) == bool(said["outputsDigest"]), "outputs have a digest, and only they"),
        (bool(said["commit"]) == (said["code"] == "git"), "code is named by a commit, or is unknown"),
        (len(said["inputs"]) <= said["inputsNamed"], "it names fewer datasets than it lists"),
        (not said["endedAt"] or from_text(said["startedAt"]) <= from_text(said["endedAt"]), "it ended before it began"),
    ):
        if not holds:
            raise MalformedInput(f"{IMPORTED}: {sentence}")


def check_details(statement: Statement, told: Mapping[str, Any]) -> None:
    """Return where the side record is what the claims commit to; raise `MalformedInput`."""
    said = statement.claims
    try:
        record, salt = told["record"], bytes.fromhex(told["salt"])
        holds = str(_committed(record, salt)) == said["record"] and told.keys() == {"record", "salt"}
        for name, claim in (
            ("parameters", "parameters"),
            ("metrics", "metrics"),
            ("tags", "tags"),
            ("outputs", "outputs"),
        ):
            holds &= len(record[name]) == said[claim]
        holds &= len(record["datasets"]) == said["inputsNamed"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedInput(f"the details of {IMPORTED} are not as `ringfence mlflow import` posts them") from error
    if not holds:
        raise MalformedInput(f"the details of {IMPORTED} are not what it commits to")


def _like(pattern: re.Pattern[str], what: str) -> Callable[[object], object]:
    def check(value: object) -> object:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise MalformedInput(f"it is {what}")
        return value

    return check


def _inputs(value: object) -> None:
    if not isinstance(value, list) or len(value) > MAX_INPUTS:
        raise MalformedInput(f"it lists at most {MAX_INPUTS} inputs")
    for one in value:
        match one:
            case {"dataset": dataset, "epoch": epoch, "seal": seal, **rest} if not rest:
                dataset_id(dataset)
                epoch_number(epoch)
                tagged(seal)
            case _:
                raise MalformedInput("an input is a dataset, its epoch and its seal")


def _folders(value: object) -> None:
    if (
        not isinstance(value, list)
        or len(value) > MAX_FOLDERS
        or [tagged(one) for one in value] != sorted({tagged(one) for one in value})
    ):
        raise MalformedInput(f"it lists at most {MAX_FOLDERS} digests once each, in order")


def _or_empty(check: Callable[[Any], object]) -> Callable[[object], object]:
    return lambda value: value if value == "" else check(value)


_SHAPE: Mapping[str, Callable[[Any], object]] = {
    "run": run_id,
    "system": one_of(SYSTEM),
    "systemVersion": _like(_VERSION, "a version"),
    "outcome": one_of(*(status.value for status in Status)),
    "code": one_of("git", "none"),
    "commit": _like(_COMMIT, "a commit of git, or nothing"),
    "inputs": _inputs,
    "inputsNamed": count,
    "parameters": count,
    "metrics": count,
    "tags": count,
    "record": tagged,
    "startedAt": from_text,
    "endedAt": _or_empty(from_text),
    "outputs": count,
    "outputBytes": count,
    "outputsSkipped": count,
    "outputsDigest": _or_empty(tagged),
    "folders": _folders,
}
