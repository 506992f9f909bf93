"""What one statement says of lineage: a table by predicate. Claims that do not fit say nothing, and never raise.

The log takes in what an earlier or a later version stated; whoever admits a statement checks its shape. Here a claim
that is missing or of another kind leaves out the link that it would make, so that a gap shows.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Statement
from ringfence.ledger.model import LoggedStatement
from ringfence.lineage.model import Basis, Kind, Link, Mark, Ref, Relation, Role

MAX_LINKS = 256  # of one statement: `run.manifest` lists at most 64 inputs and 16 base models
IMPORTED_RUN = PredicateName("run.imported")
_TEXT = 300  # characters of a fact

Facts = dict[str, object]


@dataclass(slots=True)
class Said:
    """What one statement says."""

    marks: list[tuple[Ref, str, Mark]] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


def read(logged: LoggedStatement, flaw: str | None) -> Said:
    """Return what a statement says of lineage; `flaw` is why no rule may count it."""
    statement = logged.envelope.statement
    reader = _READERS.get(statement.predicate)
    if reader is None:
        return Said()
    basis = Basis(
        logged.entry,
        logged.envelope.digest,
        statement.predicate,
        statement.issuance.strength.text,
        logged.recorded_at,
        flaw or "",
        foreign=statement.predicate == IMPORTED_RUN,
    )
    return reader(statement, basis)


def _subject(statement: Statement, prefix: str) -> tuple[str, Digest] | None:
    for subject in statement.subjects:
        if subject.name.startswith(f"{prefix}/"):
            return subject.name, subject.digest
    return None


def _digest(value: object) -> Digest | None:
    try:
        return Digest.parse(value)
    except MalformedInput:
        return None


def _facts(claims: Mapping[str, object], *names: str) -> Facts:
    """Return those claims that are plain values; nothing longer than a line."""
    found: Facts = {}
    for name in names:
        value = claims.get(name)
        if isinstance(value, str):
            found[name] = value[:_TEXT]
        elif isinstance(value, bool | int):
            found[name] = value
    return found


def _about(kind: Kind, prefix: str, role: Role, *names: str) -> Callable[[Statement, Basis], Said]:
    """Return the reader of statements that say something of one thing by its own digest."""

    def reader(statement: Statement, basis: Basis) -> Said:
        found = _subject(statement, prefix)
        if found is None:
            return Said()
        name, digest = found
        return Said([(Ref(kind, digest), name, Mark(role, basis, _facts(statement.claims, *names)))])

    return reader


def _beside(kind: Kind, relation: Relation, role: Role, *names: str) -> Callable[[Statement, Basis], Said]:
    """Return the reader of statements about a model that are things of their own: evaluations, decisions."""

    def reader(statement: Statement, basis: Basis) -> Said:
        found = _subject(statement, "model")
        if found is None:
            return Said()
        name, digest = found
        about, model = Ref(kind, basis.envelope), Ref(Kind.MODEL, digest)
        mark = Mark(role, basis, _facts(statement.claims, *names))
        own = f"{statement.predicate}/{basis.entry}"
        return Said([(about, own, mark), (model, name, mark)], [Link(model, about, relation, basis)])

    return reader


def _erased(statement: Statement, basis: Basis) -> Said:
    """Read which epochs were erased: each is a subject of its own, or one is named by its seal."""
    said = Said()
    for subject in statement.subjects[:MAX_LINKS]:
        if subject.name.startswith("dataset/"):
            mark = Mark(Role.ERASED, basis, _facts(statement.claims, "epoch", "keyCommitment"))
            said.marks.append((Ref(Kind.DATASET, subject.digest), subject.name, mark))
    return said


def _run(statement: Statement, basis: Basis) -> Said:
    found = _subject(statement, "run")
    if found is None:
        return Said()
    name, digest = found
    run, claims = Ref(Kind.RUN, digest), statement.claims
    facts = _facts(
        claims, "run", "outcome", "code", "commit", "dirty", "codeChanged", "baseChanged", "environment", "packages",
        "seed", "node", "nodeClass", "isolation", "cpu", "outputs", "outputBytes", "outputsSkipped", "startedAt",
        "endedAt", "system",
    )  # fmt: skip
    said = Said()
    inputs = list(_inputs(claims.get("inputs")))
    for seal, _, _ in inputs:
        said.links.append(Link(Ref(Kind.DATASET, seal), run, Relation.INPUT, basis))
    for base in _digests(claims.get("models"), "digest"):
        said.links.append(Link(Ref(Kind.MODEL, base), run, Relation.BASE, basis))
    for subject in statement.subjects[1:MAX_LINKS]:
        if subject.name.startswith(("outputs/", "model/")):
            said.links.append(Link(run, Ref(Kind.MODEL, subject.digest), Relation.OUTPUT, basis))
    facts["inputs"] = tuple(inputs)
    said.marks.append((run, name, Mark(Role.RAN, basis, facts)))
    return said


def _inputs(value: object) -> Iterator[tuple[Digest, str, int]]:
    for one in value[:MAX_LINKS] if isinstance(value, list) else []:
        match one:
            case {"seal": seal, "dataset": str() as dataset, "epoch": int() as epoch}:
                if found := _digest(seal):
                    yield found, dataset, epoch
            case _:
                continue


def _digests(value: object, name: str) -> Iterator[Digest]:
    for one in value[:MAX_LINKS] if isinstance(value, list) else []:
        if isinstance(one, dict) and (found := _digest(one.get(name))):
            yield found


def _redteam(statement: Statement, basis: Basis) -> Said:
    found = _subject(statement, "redteam")
    if found is None:
        return Said()
    name, digest = found
    about = Ref(Kind.EVALUATION, digest)
    said = Said([(about, name, Mark(Role.EVALUATED, basis, _facts(statement.claims, "suite", "verdict", "label")))])
    if model := _digest(statement.claims.get("modelDigest")):
        said.links.append(Link(Ref(Kind.MODEL, model), about, Relation.EVALUATED, basis))
    return said


def _deployed(statement: Statement, basis: Basis) -> Said:
    found = _subject(statement, "deployment")
    if found is None:
        return Said()
    name, digest = found
    about = Ref(Kind.DEPLOYMENT, digest)
    facts = _facts(statement.claims, "deployment", "basis", "protocol", "node", "digest", "weights", "engine")
    said = Said([(about, name, Mark(Role.DEPLOYED, basis, facts))])
    if model := _digest(statement.claims.get("digest")):
        said.links.append(Link(Ref(Kind.MODEL, model), about, Relation.SERVED, basis))
    return said


def _checked(statement: Statement, basis: Basis) -> Said:
    """Read what a check of a dataset found; under names of its own, since a verification has a `result` too."""
    said = _about(Kind.DATASET, "dataset", Role.CHECKED)(statement, basis)
    facts: Facts = {}
    if (result := statement.claims.get("result")) in ("pass", "fail"):
        facts["checks"] = result
    for claim, fact in (("rows", "checkedRows"), ("findings", "checkFindings")):
        if type(value := statement.claims.get(claim)) is int:
            facts[fact] = value
    for claim, fact in (("failed", "checksFailed"), ("notRun", "checksNotRun")):
        if isinstance(names := statement.claims.get(claim), list) and all(isinstance(one, str) for one in names):
            facts[fact] = ", ".join(names)[:_TEXT]
    return Said([(ref, name, Mark(mark.role, basis, facts)) for ref, name, mark in said.marks])


_EVALUATED = (Kind.EVALUATION, Relation.EVALUATED, Role.EVALUATED)
_DECIDED = (Kind.DECISION, Relation.DECIDED, Role.DECIDED)
_intake = _beside(*_DECIDED, "decision")


def _let_in(statement: Statement, basis: Basis) -> Said:
    """Read a decision about a model in quarantine; one that was accepted has come from outside."""
    said = _intake(statement, basis)
    if statement.claims.get("decision") == "accept":
        said.marks += [(ref, name, Mark(Role.IMPORTED, basis)) for ref, name, _ in said.marks if ref.kind is Kind.MODEL]
    return said


_READERS: Mapping[str, Callable[[Statement, Basis], Said]] = {
    "dataset.sealed": _about(
        Kind.DATASET, "dataset", Role.SEALED,
        "dataset", "epoch", "objects", "bytes", "plaintextRoot", "ciphertextRoot", "keyCommitment",
    ),
    "dataset.verified": _about(Kind.DATASET, "dataset", Role.CHECKED, "mode", "result", "failed"),
    "dataset.provenance": _about(Kind.DATASET, "dataset", Role.CHECKED, "licence"),
    "dataset.checked": _checked,
    "dataset.poison_screen": _about(Kind.DATASET, "dataset", Role.CHECKED, "order", "tool", "flagged", "undecided"),
    "dataset.erased": _erased,
    "run.manifest": _run,
    IMPORTED_RUN: _run,
    "model.signed": _about(Kind.MODEL, "model", Role.SIGNED, "model", "files", "bytes", "keyHint"),
    "model.imported": _about(Kind.MODEL, "model", Role.IMPORTED, "model", "files", "bytes", "verdict"),
    "model.scan": _about(Kind.MODEL, "model", Role.SCANNED, "verdict", "tool", "toolVersion"),
    "mlbom.generated": _about(Kind.MODEL, "model", Role.LISTED, "format", "schemaErrors"),
    "redteam.run": _redteam,
    "robustness.eval": _beside(*_EVALUATED, "evaluatedOn", "metrics", "missed"),
    "bias.eval": _beside(*_EVALUATED, "evaluatedOn"),
    "privacy.attack_eval": _beside(*_EVALUATED, "evaluatedOn"),
    "model.quarantined": _about(Kind.MODEL, "model", Role.QUARANTINED, "files", "licence", "country", "source"),
    "model.intake_decided": _let_in,
    "model.approved": _beside(*_DECIDED, "decision"),
    "model.gated": _beside(*_DECIDED, "verdict", "policy", "mode"),
    "deployment.attached": _deployed,
    "deployment.started": _deployed,
    "deployment.failed": _about(Kind.DEPLOYMENT, "deployment", Role.ENDED, "deployment", "phase"),
    "deployment.rechecked": _about(
        Kind.DEPLOYMENT, "deployment", Role.CHECKED, "deployment", "node", "outcome", "expected", "measured", "sealed"
    ),
    "deployment.stopped": _about(Kind.DEPLOYMENT, "deployment", Role.ENDED, "deployment"),
}  # fmt: skip
PREDICATES: tuple[PredicateName, ...] = tuple(PredicateName(name) for name in _READERS)
