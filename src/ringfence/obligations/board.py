"""Decide the status of every control and obligation of a tenant: pure, so that a stranger computes the same."""

from collections.abc import Sequence
from datetime import date, datetime

from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Strength
from ringfence.obligations import duties, rule
from ringfence.obligations.assess import assess, soonest, unchanged, worst
from ringfence.obligations.model import (
    Board,
    Catalog,
    Control,
    ControlResult,
    Duty,
    RequirementResult,
    Standing,
    State,
    Verdict,
)
from ringfence.obligations.records import Records
from ringfence.obligations.sieve import Sieve

KEY_EVENTS = (
    PredicateName("key.enrolled"),
    PredicateName("key.revoked"),
)  # they change what older statements are worth


Before = tuple[Records, Board]


def predicates(catalog: Catalog) -> tuple[PredicateName, ...]:
    """Return the evidence types that a status depends on; statements of other types need not be read."""
    asked = {requirement.evidence for requirement in catalog.requirements.values()}
    return tuple(sorted(asked | set(KEY_EVENTS)))


def compute(catalog: Catalog, records: Records, at: datetime, before: Before | None = None) -> Board:
    """Compute the status of everything at `at`, from the statements alone.

    `before` is an earlier computation by the same rules: what cannot have changed since is taken from it. The result
    is the same without.
    """
    facts = duties.circumstances(catalog, records, at)
    standings = {o.id: duties.duty(o, facts, catalog, at) for o in catalog.obligations.values()}
    results = _known(before, records, at, catalog) if before else {}
    for requirement in catalog.requirements.values():
        if requirement.id not in results:
            results[requirement.id] = assess(requirement, records, at, catalog.requirements)
    controls = []
    for control in catalog.controls:
        parts = tuple(results[requirement.id] for requirement in catalog.of(control.id))
        controls.append(decide(control, parts, tuple(standings[name] for name in control.obligations), at))
    return Board(
        tenant=records.tenant,
        as_of=at,
        rules=catalog.digest,
        demo=records.demo,
        controls=tuple(controls),
        duties=tuple(standings.values()),
        anchored_outside_until=anchored(catalog, records, at),
    )


def _known(before: Before, records: Records, at: datetime, catalog: Catalog) -> dict[str, RequirementResult]:
    earlier, board = before
    return {
        part.requirement.id: part
        for result in board.controls
        for part in result.requirements
        if unchanged(part, earlier, board.as_of, records, at, catalog.requirements)
    }


def decide(
    control: Control, parts: tuple[RequirementResult, ...], standings: tuple[Duty, ...], at: datetime
) -> ControlResult:
    """Combine what each requirement and each obligation of one control came to."""
    excused = _excused(standings, at)
    verdict = excused[0] if excused else _combined([part.verdict for part in parts])
    strengths: list[Strength] = [part.weakest for part in parts if part.weakest is not None]
    entries = {support.entry for part in parts for support in part.rests_on} | set(excused[1] if excused else ())
    unmet = [p.requirement.next_step for p in parts if p.verdict.state in (State.NOT_SATISFIED, State.PENDING)]
    open_ = verdict.state in (State.NOT_SATISFIED, State.PENDING)
    return ControlResult(
        control=control,
        verdict=verdict,
        requirements=parts,
        duties=standings,
        entries=tuple(sorted(entries)),
        weakest=min(strengths, default=None),
        signers=tuple(sorted({signer for part in parts for signer in part.signers})),
        next_step=(unmet or [control.next_step])[0] if open_ else None,
    )


def anchored(catalog: Catalog, records: Records, at: datetime) -> datetime | None:
    """Return until when what the log recorded is covered by a head that was taken outside.

    The newest head that counts covers the entries below its size; the answer is when the newest of them that is
    known here was recorded, never the time of the export: what came between the two is not covered.
    """
    requirement = next(r for r in catalog.requirements.values() if r.anchors)
    newest = Sieve(requirement, records, at).newest()
    size = rule.claim(newest.envelope.statement.claims, "size") if newest else rule.ABSENT
    if newest is None or type(size) is not int:
        return None
    return records.recorded(tuple(records.trails), min(size, newest.entry))


def _excused(standings: tuple[Duty, ...], at: datetime) -> tuple[Verdict, tuple[int, ...]] | None:
    """Return why nothing is asked of a control now, with the signed statements that say so; None if something is."""
    if any(d.standing is Standing.BASIS or duties.may_bind(d, at) for d in standings):
        return None
    entries = tuple(sorted({entry for found in standings for entry in found.entries}))
    later = [found for found in standings if found.standing is not Standing.NOT_OURS]
    if not later:
        because = "; ".join(dict.fromkeys(found.because for found in standings))
        return Verdict(State.NOT_APPLICABLE, f"no obligation of it is yours: {because}"), entries
    starts = [found.applies_from for found in later if found.applies_from is not None]
    return Verdict(State.UPCOMING, later[0].because, next_change=_first(starts)), entries


def _first(starts: Sequence[date]) -> datetime | None:
    return min((duties.day(start) for start in starts), default=None)


def _combined(verdicts: Sequence[Verdict]) -> Verdict:
    decisive = worst(verdicts)
    because = decisive.because
    if decisive.state is State.SATISFIED:
        because = "; ".join(verdict.because for verdict in verdicts)
    return Verdict(decisive.state, because, decisive.reason, soonest(verdicts))
