"""A bill of materials of a model in CycloneDX 1.7, out of the log alone; pure.

Each part names the statement that it comes from. What the log does not know is not in it, and stands in the list
`ringfence:absent`. The same log gives the same bytes: times are those of statements, identifiers are digests.
"""

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import ringfence
from ringfence.artifacts.models.billing import absences, schema
from ringfence.artifacts.models.model import Manifest
from ringfence.kernel import digest
from ringfence.kernel.errors import VerificationFailed

FORMAT = "cyclonedx-1.7"
UNKNOWN = [{"license": {"name": "unknown"}}]
Part = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill of materials, and what it is about to be stated of it."""

    document: Part
    absent: tuple[str, ...]

    @property
    def printed(self) -> bytes:
        """Return its bytes."""
        return digest.dumps(self.document) + b"\n"


def bill(known: Mapping[str, Any], manifest: Manifest) -> Bill:
    """Return the bill of a model.

    Args:
        known: what the log knows (`materials.gather`).
        manifest: the model's files; what is signed of them is in the log as one digest.

    Raises:
        VerificationFailed: the files are those of another version than the newest signed one.
    """
    if manifest.digest.hex != known["digest"]:
        raise VerificationFailed(
            f"these files are {manifest.digest}, and the newest signed version of {known['name']} is"
            f" sha256:{known['digest']}: name the folder of that one"
        )
    model = f"model:{known['digest']}"
    absent = tuple(absences(known))
    parts = list(_parts(known))
    component = _model(known, manifest, model)
    document: Part = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "version": 1,
        "metadata": {
            "timestamp": _newest(known),
            "tools": {"components": [{"type": "application", "name": "ringfence", "version": ringfence.__version__}]},
            "component": component,
            "properties": [{"name": "ringfence:absent", "value": one} for one in absent],
        },
        "components": parts,
        "dependencies": [
            {"ref": model, "dependsOn": [part["bom-ref"] for part in parts]},
            *({"ref": part["bom-ref"]} for part in parts),
        ],
        "compositions": [{"aggregate": "unknown", "assemblies": [model]}],  # a log cannot show that it was told all
    }
    if known["runs"]:
        document["formulation"] = [_formula(run, model) for run in known["runs"]]
    named = hashlib.sha256(digest.dumps(document)).digest()
    return Bill(document | {"serialNumber": f"urn:uuid:{uuid.UUID(bytes=named[:16], version=5)}"}, absent)


def _model(known: Mapping[str, Any], manifest: Manifest, reference: str) -> Part:
    signed = known["signed"]
    files = [
        {
            "type": "file",
            "bom-ref": f"{reference}/{number}",
            "name": resource.name,
            "hashes": [{"alg": "SHA-256", "content": resource.digest.hex}],
            "properties": _source(signed),
        }
        for number, resource in enumerate(manifest.files)
    ]
    made: Part = {
        "type": "machine-learning-model",
        "bom-ref": reference,
        "name": known["name"],
        "version": known["digest"][:16],
        "licenses": _licences(known["intake"]),
        "components": files,
        "modelCard": {"bom-ref": f"{reference}/card", "modelParameters": _parameters(known)},
        "properties": [
            *_source(signed),
            _property("manifest-digest", f"sha256:{known['digest']}"),
            *(_property(name, signed[name]) for name in ("root", "algorithm", "keyHint", "keyCustody")),
            *_from(known["scan"], "scan", ("verdict", "tool", "toolVersion")),
            *_from(known["imported"], "import", ("layout", "revision", "leftOut", "signature")),
            *_from(known["intake"], "intake", ("licence", "country", "source")),
            *(one for each in known["evaluations"] for one in _from(each, "evaluation", ())),
        ],
    }
    if known["repository"]:
        made["group"] = known["repository"]
    if known["bases"]:
        made["pedigree"] = {"ancestors": [_base(one, "ancestor") for one in known["bases"]]}
    return made


def _parameters(known: Mapping[str, Any]) -> Part:
    return {"datasets": [{"ref": _dataset_reference(one)} for one in known["datasets"]]} if known["datasets"] else {}


def _parts(known: Mapping[str, Any]) -> Iterator[Part]:
    for one in known["datasets"]:
        yield _dataset(one)
    for one in known["bases"]:
        yield _base(one, "base")
    seen: set[str] = set()
    for run in known["runs"]:
        for part in (*_code(run), *_libraries(run)):
            if part["bom-ref"] not in seen:
                seen.add(part["bom-ref"])
                yield part


def _dataset_reference(one: Mapping[str, Any]) -> str:
    return f"dataset:{one['dataset']}:{one['seal'][:32]}"


def _dataset(one: Mapping[str, Any]) -> Part:
    sealed, told = one["sealed"], one["provenance"]
    made: Part = {
        "type": "data",
        "bom-ref": _dataset_reference(one),
        "name": one["name"] or one["dataset"],
        "hashes": [{"alg": "SHA-256", "content": one["seal"]}],
        "licenses": _licences(told),
        "data": [{"type": "dataset", "name": one["name"] or one["dataset"]}],
        "properties": [_property("dataset", one["dataset"])],
    }
    if sealed:
        made["version"] = str(sealed["epoch"])
        roots = ("ciphertextRoot", "plaintextRoot", "suite", "objects", "bytes")
        made["properties"] += [*_source(sealed), *(_property(name, sealed[name]) for name in roots if name in sealed)]
    made["properties"] += _from(told, "provenance", ("licence",))
    return made


def _base(one: Mapping[str, Any], place: str) -> Part:
    return {
        "type": "machine-learning-model",
        "bom-ref": f"{place}:{one['digest']}",
        "name": one["name"] or f"sha256:{one['digest'][:16]}",
        "version": one["digest"][:16],
        "licenses": _licences(one["intake"]),
        "properties": [
            _property("manifest-digest", f"sha256:{one['digest']}"),
            *_from(one["signed"], "signed", ("root", "keyHint")),
            *_from(one["intake"], "intake", ("licence", "country", "source")),
        ],
    }


def _code(run: Mapping[str, Any]) -> Iterator[Part]:
    if run.get("code") in {None, "none"}:
        return
    commit = str(run.get("commit", ""))
    named = commit or str(run.get("changesCommitment", "")).removeprefix("sha256:")
    part: Part = {
        "type": "application",
        "bom-ref": f"code:{named or run['run']}",
        "name": "training code",
        "licenses": UNKNOWN,
        "properties": [
            *_source(run),
            *(
                _property(name, run[name])
                for name in ("code", "dirty", "codeChanged", "changesCommitment")
                if name in run
            ),
        ],
    }
    if commit:
        part |= {"version": commit, "pedigree": {"commits": [{"uid": commit}]}}
    yield part


def _libraries(run: Mapping[str, Any]) -> Iterator[Part]:
    for package in run["packages"]:
        name, _, rest = package.partition("==")
        version, _, record = rest.partition(" sha256:")
        yield {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{version}",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name}@{version.replace('+', '%2B')}",
            "licenses": UNKNOWN,
            "properties": [
                *_source(run),
                *([_property("installer-record", f"sha256:{record}")] if record else []),
            ],
        }


def _formula(run: Mapping[str, Any], model: str) -> Part:
    shown = ("outcome", "environment", "python", "platform", "seed", "isolation", "nodeClass", "cpu", "cores")
    workflow: Part = {
        "bom-ref": f"run:{run['run']}",
        "uid": str(run["run"]),
        "name": "ringfence run",
        "taskTypes": ["build"],
        "timeStart": str(run["startedAt"]),
        "timeEnd": str(run["endedAt"]),
        "outputs": [{"type": "artifact", "resource": {"ref": model}}],
        "properties": [*_source(run), *(_property(name, run[name]) for name in shown if name in run)],
    }
    inputs = [*(_dataset_reference(one) for one in run["inputs"]), *(f"base:{one['digest']}" for one in run["models"])]
    inputs += [part["bom-ref"] for part in _code(run)]
    if inputs:
        workflow["inputs"] = [{"resource": {"ref": one}} for one in inputs]
    return {"bom-ref": f"formula:{run['run']}", "workflows": [workflow]}


def _licences(fact: Mapping[str, Any] | None) -> list[Part]:
    named = fact.get("licence") if fact else None
    if not isinstance(named, str):
        return UNKNOWN
    return [{"license": {"id": named} if named in _spdx() else {"name": named}}]


@cache
def _spdx() -> frozenset[str]:
    return frozenset(schema("spdx")["enum"])


def _source(fact: Mapping[str, Any]) -> list[Part]:
    said = fact["statement"]
    return [
        _property("statement", f"sha256:{said['envelope']}"),
        _property("statement:predicate", said["predicate"]),
        _property("statement:entry", said["entry"]),
    ]


def _from(fact: Mapping[str, Any] | None, label: str, claims: Sequence[str]) -> list[Part]:
    """Return claims of another statement than the one that a part is about, and which one it is."""
    if fact is None:
        return []
    statement = _property(f"{label}:statement", f"sha256:{fact['statement']['envelope']}")
    return [statement, *(_property(f"{label}:{name}", fact[name]) for name in claims if name in fact)]


def _property(name: str, value: Any) -> Part:
    return {"name": f"ringfence:{name}", "value": value if isinstance(value, str) else digest.dumps(value).decode()}


def _newest(known: Mapping[str, Any]) -> str:
    """Return the time of the newest statement that is used."""
    times: list[str] = []
    waiting: list[Any] = [known]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            times += [value["issuedAt"]] if "issuedAt" in value else []
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return max(times)
