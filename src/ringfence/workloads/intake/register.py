"""Which models came from outside, and what was decided: a fold over the log, the only place that knows. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ringfence.artifacts.models import statements as models
from ringfence.artifacts.models.model import ModelId, Verdict
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import RingfenceError
from ringfence.kernel.evidence import TRUSTED
from ringfence.ledger.model import LoggedStatement
from ringfence.workloads.intake import statements
from ringfence.workloads.intake.model import Decided, Intake, Source, State, Told

_WORDS = (".json", ".jinja", ".md", ".rst", ".txt", ".yaml", ".yml")
_TEXTS = frozenset({"copying", "licence", "license", "notice", "readme"})
PREDICATES = (statements.QUARANTINED, statements.DECIDED, models.SCAN)


def fold(logged: Iterable[LoggedStatement]) -> list[Intake]:
    """Return every intake, the newest first; what no trusted key stands for is left out."""
    found: dict[str, Intake] = {}
    scans: dict[tuple[ModelId, Digest], tuple[Verdict, int]] = {}
    for one in logged:
        claims = _claims(one)
        if claims is None:
            continue
        said = one.envelope.statement
        if said.predicate == statements.QUARANTINED:
            made = _intake(one, claims)
            found[made.id] = made
        elif said.predicate == statements.DECIDED:
            _decide(found, one, claims)
        else:
            scans[claims["model"], said.subjects[0].digest] = Verdict(claims["verdict"]), one.entry
    joined = [_scanned(intake, scans.get((intake.model, intake.digest))) for intake in found.values()]
    return sorted(joined, key=lambda intake: -intake.entry)


def _claims(one: LoggedStatement) -> Mapping[str, Any] | None:
    said = one.envelope.statement
    if one.standing != TRUSTED:
        return None
    read = models.claims_of if said.predicate == models.SCAN else statements.claims_of
    try:
        return read(said, said.predicate)
    except (RingfenceError, KeyError):
        return None


def _intake(one: LoggedStatement, claims: Mapping[str, Any]) -> Intake:
    said, details = one.envelope.statement, one.opening.details if one.opening else {}
    told = Told(
        Digest.parse(claims["expected"]),
        claims["licence"],
        claims["country"],
        str(details.get("owner", "")),
        str(details.get("from", "")),
    )
    return Intake(
        id=one.envelope.digest.hex,
        model=claims["model"],
        name=str(details.get("name", "")),
        digest=said.subjects[0].digest,
        files=frozenset(subject.digest for subject in said.subjects[1:]),
        count=claims["files"],
        bytes=claims["bytes"],
        source=Source(claims["source"]),
        told=told,
        entry=one.entry,
        at=one.recorded_at,
        by=one.issuer.person if one.issuer else None,
        signer=one.envelope.signer,
    )


def _decide(found: dict[str, Intake], one: LoggedStatement, claims: Mapping[str, Any]) -> None:
    """Note a decision where it names the very intake: its envelope, its model and its bytes."""
    intake = found.get(Digest.parse(claims["intake"]).hex)
    if intake is None or (intake.model, intake.digest) != (claims["model"], one.envelope.statement.subjects[0].digest):
        return
    reason = str(one.opening.details.get("reason", "")) if one.opening else ""
    state, by = statements.DECISIONS[claims["decision"]], one.issuer.person if one.issuer else None
    found[intake.id] = replace(intake, decided=Decided(state, one.entry, one.recorded_at, by, reason))


def _scanned(intake: Intake, scan: tuple[Verdict, int] | None) -> Intake:
    return intake if scan is None else replace(intake, scan=scan[0], scan_entry=scan[1])


def holding(intakes: Iterable[Intake], digest: Digest) -> list[Intake]:
    """Return the intakes that brought these bytes, as a whole model or as a file of one, the newest first."""
    return [intake for intake in intakes if intake.holds(digest)]


def held_back(intakes: Sequence[Intake], digests: Iterable[Digest]) -> str:
    """Say why bytes may be neither signed nor served: they came from outside and nobody let them in. Empty: they may.

    The newest decision on intakes that hold the bytes counts; without one they wait.
    """
    for digest in digests:
        found = holding(intakes, digest)
        if not found:
            continue
        newest = max(found, key=lambda one: one.decided.entry if one.decided else -1)
        if newest.state is State.REFUSED:
            return f"these bytes came from outside, and a person refused them (entry {_entry(newest)})"
        if newest.state is State.WAITING:
            return (
                f"these bytes came from outside (entry {newest.entry}), and nobody has decided about them; "
                "`ringfence model waiting` lists them"
            )
    return ""


def not_signable(intakes: Sequence[Intake], digest: Digest, files: Mapping[str, Digest] | None) -> str:
    """Say why a model may not be signed: it, or a file of it, is held back. Empty: it may.

    A model that a person let in is let in with all its files. Words that many models share, such as the text of a
    licence, hold back no other model.
    """
    if because := held_back(intakes, (digest,)):
        return because
    if any(one.digest == digest for one in intakes):
        return ""
    held = frozenset[Digest]().union(*(one.files for one in intakes if one.state is not State.ACCEPTED))
    if held and files is None:
        return (
            "something from outside is held back here, and this model has too many files to be compared with it: "
            "decide about what waits first (`ringfence model waiting`)"
        )
    for name, found in sorted((files or {}).items()):
        if found in held and not _is_words(name) and (because := held_back(intakes, (found,))):
            return f"{name!r}: {because}; leave it out, or have it let in first"
    return ""


def _is_words(name: str) -> bool:
    """Tell whether a file holds words by its name; a loader of weights asks for none of these."""
    last = name.rpartition("/")[2].lower()
    return last.endswith(_WORDS) or last in _TEXTS


def _entry(intake: Intake) -> int:
    return intake.decided.entry if intake.decided else intake.entry
