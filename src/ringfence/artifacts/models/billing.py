"""What is said about a bill of materials: what the log did not know, and what a walk and a validator find; pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.metadata import version
from typing import Any

from ringfence.artifacts.models.model import Manifest
from ringfence.kernel import digest

FORMAT = "cyclonedx-1.7"
VALIDATOR = "jsonschema"
MAX_BILL = 2**28
_BASE = "http://cyclonedx.org/schema/"  # under which the schemas name one another; nothing is fetched
_FURTHER = ("cryptography-defs", "jsf-0.82", "spdx")
Part = dict[str, Any]


def absences(known: Mapping[str, Any]) -> Iterator[str]:
    """Yield, in words, what the log does not know of a model (`materials.gather`)."""
    if not (known["intake"] and known["intake"].get("licence")):
        yield "licence of the model: no intake of these bytes is stated"
    if not known["scan"]:
        yield "scan of the model: none of these bytes is stated"
    if not known["evaluations"]:
        yield "evaluations: none of these bytes is stated"
    if not known["runs"]:
        yield "run that made the model, and with it datasets, base models, code and environment: none is stated"
    for run in known["runs"]:
        yield from _absent_of_run(run)
    for one in known["datasets"]:
        yield from _absent_of_dataset(one)
    for one in known["bases"]:
        yield from _absent_of_base(one)
    yield "architecture, intended use and limits of the model: no statement holds them"


def _absent_of_dataset(one: Mapping[str, Any]) -> Iterator[str]:
    if one["sealed"] is None:
        yield f"seal of dataset {one['dataset']}: no statement of it counts"
    if one["provenance"] is None:
        yield f"licence of dataset {one['dataset']}: no provenance of this epoch is stated"


def _absent_of_base(one: Mapping[str, Any]) -> Iterator[str]:
    if one["signed"] is None:
        yield f"signature of base model sha256:{one['digest']}: none is stated"
    if not (one["intake"] and one["intake"].get("licence")):
        yield f"licence of base model sha256:{one['digest']}: no intake of these bytes is stated"


def _absent_of_run(run: Mapping[str, Any]) -> Iterator[str]:
    named = run["run"]
    if not run["models_stated"]:
        yield f"base models of run {named}: the statement does not speak of them"
    if not run["packages"]:
        yield f"packages of run {named}: the environment is unknown, or its list was erased"
    else:
        yield f"licences of the packages of run {named}: no statement holds them"
    if run.get("code") in {None, "none"}:
        yield f"code of run {named}: unknown"
    else:
        yield f"licence of the code of run {named}: no statement holds it"


def references(document: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return every name that a document gives to a part, and every name by which it speaks of one."""
    given: list[str] = []
    used: list[str] = []
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, Mapping):
            given += [value["bom-ref"]] if "bom-ref" in value else []
            used += [value["ref"]] if "ref" in value else []
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(place, one) for one in value]
        elif isinstance(value, str) and place in {"dependsOn", "assemblies"}:
            used.append(value)
    return given, used


def claims(printed: bytes, known: Mapping[str, Any], manifest: Manifest) -> dict[str, Any]:
    """Return what `mlbom.generated` says of a bill: counted from its bytes, not from what made them."""
    document = digest.loads(printed, source="bill of materials", limit=MAX_BILL)
    validator, errors = schema_errors(document)
    model, parts = document["metadata"]["component"], document["components"]
    listed = {one["name"]: one["hashes"][0]["content"] for one in model["components"]}
    named, used = references(document)
    given = set(named)
    datasets = [one for one in parts if one["type"] == "data"]
    bases = [one for one in parts if one["type"] == "machine-learning-model"]
    return {
        "format": FORMAT,
        "validator": VALIDATOR,
        "validatorVersion": validator,
        "schemaErrors": errors,
        "danglingReferences": sum(one not in given for one in used),
        "holds": sorted(_holds(known, parts)),
        "modelFiles": len(manifest.files),
        "filesMatched": sum(listed.get(one.name) == one.digest.hex for one in manifest.files),
        "datasets": len(datasets),
        "datasetsUnsealed": sum(not one.get("hashes") for one in datasets),
        "basesUndigested": sum(
            not any(each["name"] == "ringfence:manifest-digest" for each in one["properties"]) for one in bases
        ),
        "withoutLicence": sum(not one.get("licenses") for one in (model, *parts)),
    }


def _holds(known: Mapping[str, Any], parts: Sequence[Part]) -> Iterator[str]:
    """Yield which kinds a bill lists, or says that there are none of."""
    yield "model-files"
    yield "licences"  # of each part one, or that it is unknown
    runs = known["runs"]
    if runs:
        yield "datasets"
    if runs and all(run["models_stated"] for run in runs):
        yield "base-models"
    if any(part["type"] == "library" for part in parts):
        yield "libraries"
    if any(part["type"] == "application" for part in parts):
        yield "training-code"


def schema_errors(document: Mapping[str, Any]) -> tuple[str, int]:
    """Return the validator's version, and how many errors it finds by the published schema."""
    from jsonschema import Draft7Validator
    from referencing import Registry, Resource

    known = [(f"{_BASE}{name}.SNAPSHOT.schema.json", Resource.from_contents(schema(name))) for name in _FURTHER]
    registry: Registry[Any] = Registry().with_resources(known)
    found = Draft7Validator(schema("bom-1.7"), registry=registry).iter_errors(document)
    return version(VALIDATOR), sum(1 for _ in found)


@cache
def schema(name: str) -> Any:
    """Return one of the published schemas that ship with Ringfence."""
    place = resources.files("ringfence.artifacts.models").joinpath("data", f"{name}.schema.json")
    return json.loads(place.read_bytes())  # a file of ours, with numbers that strict JSON has no room for
