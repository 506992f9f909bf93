"""What the log knows of a model's making: a fold over statements, each fact with the statement it is from; pure.

Nothing is followed that is not stated by a key that counts, and nothing is filled in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringfence.artifacts.models import statements
from ringfence.artifacts.models.ports import Logged
from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import MalformedInput, NotFound
from ringfence.kernel.evidence import TRUSTED
from ringfence.kernel.identifier import PredicateName

RUN, SEALED, PROVENANCE, QUARANTINED, REDTEAM = (
    "run.manifest",
    "dataset.sealed",
    "dataset.provenance",
    "model.quarantined",
    "redteam.run",
)
PREDICATES = (
    statements.SIGNED,
    statements.SCAN,
    statements.IMPORTED,
    *map(PredicateName, (RUN, SEALED, PROVENANCE, QUARANTINED, REDTEAM)),
)
_RUN_CLAIMS = (
    *("run", "commit", "code", "dirty", "codeChanged", "environment", "python", "platform", "seed", "outcome"),
    *("startedAt", "endedAt", "isolation", "nodeClass", "cpu", "cores", "accelerators", "changesCommitment"),
)
_SEAL_CLAIMS = ("suite", "objects", "bytes", "ciphertextRoot", "plaintextRoot")


@dataclass(slots=True)
class _Log:
    """The statements that count, by what they are about."""

    about: dict[tuple[str, str], list[Logged]] = field(default_factory=dict)  # predicate, digest of a subject

    @classmethod
    def of(cls, logged: Iterable[Logged]) -> "_Log":
        made = cls()
        for one in logged:
            if one.standing == TRUSTED:
                statement = one.envelope.statement
                for subject in statement.subjects:
                    made.about.setdefault((statement.predicate, subject.digest.hex), []).append(one)
        return made

    def newest(self, predicate: str, digest: str) -> Logged | None:
        found = self.about.get((predicate, digest))
        return found[-1] if found else None


def gather(logged: Sequence[Logged], name: str) -> dict[str, Any]:
    """Return what is known of the newest signed version under a name, as the API gives it.

    Raises:
        NotFound: nobody signed a model under this name.
    """
    log = _Log.of(logged)
    signed = next(
        (
            one
            for one in reversed(logged)
            if one.standing == TRUSTED
            and one.envelope.statement.predicate == statements.SIGNED
            and _details(one).get("name") == name
        ),
        None,
    )
    if signed is None:
        raise NotFound(f"no model {name[:80]!r} is signed in this tenant; `ringfence model list`")
    subject = signed.envelope.statement.subjects[0]
    digest = subject.digest.hex
    runs = [_run(one) for one in log.about.get((RUN, digest), ())]
    given = {(each["dataset"], each["seal"]): None for run in runs for each in run["inputs"]}
    bases = dict.fromkeys(each["digest"] for run in runs for each in run["models"])
    return {
        "name": name,
        "model": subject.name.removeprefix("model/"),
        "digest": digest,
        "signed": _fact(signed, ("files", "bytes", "root", "bundle", "algorithm", "keyHint", "keyCustody")),
        "imported": _known(log.newest(statements.IMPORTED, digest), ("layout", "revision", "leftOut", "signature")),
        "repository": str(_details(log.newest(statements.IMPORTED, digest)).get("repository", "")),
        "scan": _known(log.newest(statements.SCAN, digest), ("tool", "toolVersion", "verdict", "files")),
        "intake": _known(log.newest(QUARANTINED, digest), ("licence", "country", "source")),
        "runs": runs,
        "datasets": [_dataset(log, *one) for one in given],
        "bases": [_base(log, one) for one in bases],
        "evaluations": [_fact(one, ()) for one in log.about.get((REDTEAM, digest), ())],
    }


def _fact(one: Logged, claims: Iterable[str]) -> dict[str, Any]:
    """Return some claims of a statement, and which statement it is."""
    statement = one.envelope.statement
    return {
        "statement": {
            "entry": one.entry,
            "envelope": one.envelope.digest.hex,
            "predicate": str(statement.predicate),
            "issuedAt": to_text(statement.issuance.issued_at),
        },
        **{name: statement.claims[name] for name in claims if name in statement.claims},
    }


def _known(one: Logged | None, claims: Iterable[str]) -> dict[str, Any] | None:
    return None if one is None else _fact(one, claims)


def _details(one: Logged | None) -> Mapping[str, Any]:
    return one.opening.details if one is not None and one.opening is not None else {}


def _run(one: Logged) -> dict[str, Any]:
    claims, details = one.envelope.statement.claims, _details(one)
    packages = details.get("packages")
    return {
        **_fact(one, _RUN_CLAIMS),
        "inputs": [
            {"dataset": str(each.get("dataset")), "epoch": each.get("epoch"), "seal": _hex(each.get("seal"))}
            for each in _mappings(claims.get("inputs"))
        ],
        "models": [{"digest": _hex(each.get("digest"))} for each in _mappings(claims.get("models"))],
        "models_stated": "models" in claims,
        "packages": sorted(map(str, packages)) if isinstance(packages, list) else [],
        "outputs": [list(map(str, each)) for each in details.get("outputs", ()) if isinstance(each, list)],
    }


def _dataset(log: _Log, dataset: str, seal: str) -> dict[str, Any]:
    sealed, told = log.newest(SEALED, seal), log.newest(PROVENANCE, seal)
    known = _known(sealed, ("epoch", *_SEAL_CLAIMS))
    return {
        "dataset": dataset,
        "seal": seal,
        "name": str(_details(sealed).get("name", "")),
        "sealed": known,
        "provenance": _known(told, ("licence", "recorded")),
    }


def _base(log: _Log, digest: str) -> dict[str, Any]:
    signed, intake = log.newest(statements.SIGNED, digest), log.newest(QUARANTINED, digest)
    return {
        "digest": digest,
        "name": str(_details(signed).get("name", "")),
        "signed": _known(signed, ("files", "bytes", "root", "keyHint")),
        "intake": _known(intake, ("licence", "country", "source")),
    }


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []


def _hex(value: Any) -> str:
    text = str(value).removeprefix("sha256:")
    if len(text) != 64 or any(one not in "0123456789abcdef" for one in text):
        raise MalformedInput(f"a statement names {text[:80]!r}, which is no digest")
    return text
