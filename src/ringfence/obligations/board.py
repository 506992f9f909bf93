"""Decide the status of every control and obligation of a tenant: pure, so that a stranger computes the same."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime
from operator import is_

from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Strength
from ringfence.obligations import asides, duties, profile, rule
from ringfence.obligations.asides import NOT_APPLICABLE
from ringfence.obligations.assess import assess, soonest, unchanged, worst
from ringfence.obligations.carrying import carried
from ringfence.obligations.choices import Aside, Profile, Selected
from ringfence.obligations.duties import Circumstances
from ringfence.obligations.model import Catalog, Control
from ringfence.obligations.records import Records
from ringfence.obligations.results import (
    APART,
    OPEN,
    Board,
    ControlResult,
    Duty,
    RequirementResult,
    Standing,
    State,
    Verdict,
)
from ringfence.obligations.sieve import Sieve

KEY_EVENTS = (
    PredicateName("key.enrolled"),
    PredicateName("key.revoked"),
)  # they change what older statements are worth
CHOICES = (NOT_APPLICABLE, profile.SELECTED)  # what a team chose beside the law


Before = tuple[Records, Board]


def predicates(catalog: Catalog) -> tuple[PredicateName, ...]:
    """Return the evidence types that a status depends on; statements of other types need not be read."""
    asked = {requirement.evidence for requirement in catalog.requirements.values()}
    asked |= {trigger.evidence for requirement in catalog.requirements.values() for trigger in requirement.triggers}
    return tuple(sorted(asked | set(KEY_EVENTS) | set(CHOICES)))


def compute(catalog: Catalog, records: Records, at: datetime, before: Before | None = None) -> Board:
    """Compute the status of everything at `at`, from the statements alone.

    `before` is an earlier computation by the same rules: what cannot have changed since is taken from it. The result
    is the same without.
    """
    chosen = profile.in_force(catalog, records, at)
    return _computed(catalog, records, at, chosen, before if before and before[1].profile == chosen else None)


def tried(catalog: Catalog, records: Records, at: datetime, wanted: Profile) -> Board:
    """Compute the status as it would be with another profile in force."""
    return _computed(catalog, records, at, Selected(wanted, None, None), None)


def _computed(
    shipped: Catalog, records: Records, at: datetime, chosen: Selected | None, before: Before | None
) -> Board:
    catalog = profile.applied(shipped, chosen.profile) if chosen else shipped
    facts = duties.circumstances(catalog, records, at)
    kept = before if before and _same_duties(before, facts, at, catalog) else None
    found = kept[1].duties if kept else tuple(duties.duty(o, facts, catalog, at) for o in catalog.obligations.values())
    standings = {duty.obligation.id: duty for duty in found}
    decided = {result.control.id: result for result in kept[1].controls} if kept else {}
    results = _known(before, records, at, catalog) if before else {}
    for requirement in catalog.requirements.values():
        if requirement.id not in results:
            results[requirement.id] = assess(requirement, records, at, catalog.requirements)
    rules, apart = catalog.by_control, asides.found(catalog, standings, records, at, chosen)
    controls = []
    for control in catalog.controls:
        parts = tuple(results[requirement.id] for requirement in rules.get(control.id, ()))
        earlier, aside = decided.get(control.id), apart.get(control.id)
        if earlier is not None and earlier.aside == aside and all(map(is_, earlier.requirements, parts)):
            controls.append(earlier)
        else:
            duties_of = tuple(standings[name] for name in control.obligations)
            controls.append(decide(control, parts, duties_of, at, aside, profile.asking(chosen, control.id)))
    return Board(
        tenant=records.tenant,
        as_of=at,
        rules=catalog.digest,
        demo=records.demo,
        controls=tuple(controls),
        duties=found,
        anchored_outside_until=anchored(catalog, records, at),
        overrides=catalog.overrides,
        profile=chosen,
    )


def _same_duties(before: Before, facts: Circumstances, at: datetime, catalog: Catalog) -> bool:
    """Tell whether the standings of an earlier computation hold at `at` too: same facts, and no date in between."""
    records, board = before
    then = board.as_of
    passed = bisect_right(catalog.turns, then) != bisect_right(catalog.turns, at)
    return (
        then <= at
        and not passed
        and facts.entries_of_all == duties.circumstances(catalog, records, then).entries_of_all
    )


def _known(before: Before, records: Records, at: datetime, catalog: Catalog) -> dict[str, RequirementResult]:
    earlier, board = before
    rules, found = catalog.requirements, {}
    for part in (part for result in board.controls for part in result.requirements):
        if unchanged(part, earlier, board.as_of, records, at, rules):
            found[part.requirement.id] = part
        elif after := carried(part, earlier, board.as_of, records, at, rules):
            found[part.requirement.id] = after
    return found


def decide(
    control: Control,
    parts: tuple[RequirementResult, ...],
    standings: tuple[Duty, ...],
    at: datetime,
    aside: Aside | None = None,
    required_by: str | None = None,
) -> ControlResult:
    """Combine what each requirement and each obligation of one control came to, and what the team chose.

    What a profile asks for is asked, whatever the scope says; what is set aside does not count until that ends.
    """
    by_scope = None if required_by else _excused(standings, at)
    shown = _combined([part.verdict for part in parts])
    leaves = aside if aside and aside.counts and shown.state not in APART else None  # who counts for nothing, stays
    excused = by_scope or (_set_aside(leaves) if leaves else None)
    verdict = excused[0] if excused else shown
    strengths: list[Strength] = [part.weakest for part in parts if part.weakest is not None]
    entries = {support.entry for part in parts for support in part.rests_on} | set(excused[1] if excused else ())
    unmet = [p.next_step for p in parts if p.verdict.state in OPEN]
    return ControlResult(
        control=control,
        verdict=verdict,
        requirements=parts,
        duties=standings,
        entries=tuple(sorted(entries)),
        weakest=min(strengths, default=None),
        signers=tuple(sorted({signer for part in parts for signer in part.signers})),
        next_step=(unmet or [control.next_step])[0] if verdict.state in OPEN else None,
        aside=aside,
        set_aside=by_scope is None and excused is not None,
        required_by=required_by,
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


def _set_aside(aside: Aside) -> tuple[Verdict, tuple[int, ...]]:
    row = aside.row
    because = f"set aside by the {row.owner} until {row.expires}: {row.reason}"
    entries = () if aside.entry is None else (aside.entry,)
    return Verdict(State.NOT_APPLICABLE, because, next_change=duties.day(row.expires)), entries


def _first(starts: Sequence[date]) -> datetime | None:
    return min((duties.day(start) for start in starts), default=None)


def _combined(verdicts: Sequence[Verdict]) -> Verdict:
    decisive = worst(verdicts)
    because = decisive.because
    if decisive.state is State.SATISFIED:
        because = "; ".join(verdict.because for verdict in verdicts)
    return Verdict(decisive.state, because, decisive.reason, soonest(verdicts))
