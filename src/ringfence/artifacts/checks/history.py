"""What the log says of each epoch of a dataset: opened, verified, checked, screened, used. A fold; pure.

What rests on a key that does not count, or is not as the predicate's page has it, says nothing good of data; whether
data were opened or used is believed of anybody.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ringfence.artifacts import statements
from ringfence.artifacts.checks.statements import CHECKED, SCREENED, claims_of
from ringfence.artifacts.model import Mode, Sealed, purpose
from ringfence.artifacts.models.ports import Logged
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.kernel.evidence import TRUSTED
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Statement

RUNS = ("run.manifest", "run.imported")
RELEASED = PredicateName("key.released")
PREDICATES = (
    statements.SEALED,
    statements.OPENED,
    statements.VERIFIED,
    statements.PROVENANCE,
    CHECKED,
    SCREENED,
    RELEASED,
    *map(PredicateName, RUNS),
)
TRAINS = frozenset({"run", "train", "training", "fine-tune"})  # purposes under which a program learns from data
_CHECK = ("result", "toolVersion", "rows", "files", "findings", "counts", "passed", "failed", "notRun", "off")


class When(StrEnum):
    """Whether data were screened before a model was trained on them, in the words of `dataset.poison_screen`."""

    BEFORE = "before-training"
    AFTER = "after-training"
    UNKNOWN = "not-known"


def _text(value: object) -> object:
    if not isinstance(value, str):
        raise MalformedInput("it is text")
    return value


def _texts(value: object) -> object:
    if not isinstance(value, list):
        raise MalformedInput("it is a list of texts")
    return [_text(one) for one in value]


# The claims of `dataset.poison_screen`, a form's: whoever took it in held it against that form.
_SCREEN: dict[str, Callable[[object], object]] = {
    "screenedOn": _text,
    "order": statements.one_of(*(one.value for one in When)),
    "tool": _text,
    "toolVersion": _text,
    "checks": _texts,
    **dict.fromkeys(("items", "screened", "flagged", "flaggedPermille", "quarantined", "undecided"), statements.count),
    **dict.fromkeys(("sourcesUntrusted", "planted", "plantedFound", "plantedPermille"), statements.count),
}
_BESIDE: dict[str, Callable[[object], object]] = dict.fromkeys(("report", "quarantine"), statements.tagged)


@dataclass(slots=True)
class Told:
    """What is said of one epoch."""

    sealed: Logged | None = None
    opened: list[Logged] = field(default_factory=list)
    verified: Logged | None = None
    audited: Logged | None = None
    provenance: Logged | None = None
    checked: Logged | None = None
    screened: Logged | None = None
    runs: list[Logged] = field(default_factory=list)
    released: int = 0

    @property
    def order(self) -> When:
        """Tell whether a screen comes before training: no run used the epoch, and none is known to have begun."""
        if self.runs:
            return When.AFTER
        begun = self.released or any(_purpose(one) in TRAINS for one in self.opened)
        return When.UNKNOWN if begun else When.BEFORE

    @property
    def untrusted(self) -> int:
        """Return how many sources nobody answers for; data without a word about their source have one."""
        recorded = self.provenance.envelope.statement.claims["recorded"] if self.provenance else ()
        return 0 if "source" in recorded else 1


def fold(logged: Iterable[Logged], seals: Iterable[Digest]) -> dict[Digest, Told]:
    """Return what is said of each of some epochs, which are known by the digests of their seals."""
    found = {seal: Told() for seal in seals}
    for one in logged:
        statement = one.envelope.statement
        if statement.predicate in RUNS:
            for seal in _inputs(statement.claims.get("inputs")):
                if seal in found:
                    found[seal].runs.append(one)
            continue
        told = next((found[subject.digest] for subject in statement.subjects if subject.digest in found), None)
        if told is not None:
            _take(told, one, statement.predicate)
    return found


def _take(told: Told, one: Logged, predicate: PredicateName) -> None:
    if predicate == statements.OPENED:
        told.opened.append(one)
    elif predicate == RELEASED:
        told.released += 1
    elif one.standing == TRUSTED and _is_whole(one.envelope.statement):
        setattr(told, _PLACES[predicate], one)
        if predicate == statements.VERIFIED and one.envelope.statement.claims["mode"] == Mode.AUDIT:
            told.audited = one


def _is_whole(statement: Statement) -> bool:
    with suppress(RingfenceError):
        if statement.predicate == CHECKED:
            return bool(claims_of(statement))
        if statement.predicate == SCREENED:
            return bool(statements.shaped(statement, _SCREEN | _BESIDE))
        return bool(statements.claims_of(statement, statement.predicate))
    return False


_PLACES: Mapping[PredicateName, str] = {
    statements.SEALED: "sealed",
    statements.VERIFIED: "verified",
    statements.PROVENANCE: "provenance",
    CHECKED: "checked",
    SCREENED: "screened",
}


def _inputs(value: object) -> Iterable[Digest]:
    for one in value if isinstance(value, list | tuple) else ():
        with suppress(MalformedInput):
            yield Digest.parse(one.get("seal") if isinstance(one, Mapping) else None)


def _purpose(one: Logged) -> str:
    with suppress(MalformedInput):
        return purpose(one.envelope.statement.claims.get("purpose"))
    return "unknown"


def to_json(epoch: Sealed, told: Told) -> dict[str, Any]:
    """Return one epoch with everything that is said of it, as the API and every front end show it."""
    purposes: dict[str, int] = {}
    for one in told.opened:
        purposes[_purpose(one)] = purposes.get(_purpose(one), 0) + 1
    return statements.to_json(epoch) | {
        "sealed": _said(told.sealed, ()),
        "opened": len(told.opened),
        "purposes": dict(sorted(purposes.items())),
        "last_opened": _at(told.opened[-1]) if told.opened else None,
        "released": told.released,
        "verified": _said(told.verified, ("mode", "result", "chunks", "failed")),
        "audited": _said(told.audited, ("result", "chunks", "failed")),
        "provenance": _said(told.provenance, ("licence", "recorded")),
        "checked": _said(told.checked, _CHECK),
        "screened": _said(told.screened, tuple(_SCREEN)),
        "runs": len(told.runs),
        "order": told.order.value,
        "sources_untrusted": told.untrusted,
    }


def _said(one: Logged | None, claims: Sequence[str]) -> dict[str, Any] | None:
    if one is None:
        return None
    said = one.envelope.statement
    found = {name: said.claims[name] for name in claims if name in said.claims}
    where = {"entry": one.entry, "envelope": str(one.envelope.digest), "at": _at(one)}
    return found | where | {"strength": said.issuance.strength.text}


def _at(one: Logged) -> str:
    return to_text(one.envelope.statement.issuance.issued_at)
