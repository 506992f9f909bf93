"""Decide what the statements show about one evidence requirement at one time: pure, and without knowing any control.

`assess` sees only what the log had taken in by `at`, whatever time a statement claims for itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations import rule
from ringfence.obligations.model import Narrowing, Population, Requirement, Selection
from ringfence.obligations.records import Records, digest_under
from ringfence.obligations.recount import Recounted, recount
from ringfence.obligations.results import MemberResult, Reason, RequirementResult, State, Verdict
from ringfence.obligations.sieve import Sieve, signer, support, too_weak
from ringfence.obligations.triggers import overtaken

Rules = Mapping[str, Requirement]
_SHOWN = 3  # members named in a sentence; the result lists them all
_STATES = (State.NOT_SATISFIED, State.PENDING, State.SATISFIED, State.NOT_APPLICABLE)
_REASONS = (*Reason, None)


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that needs evidence: its name, its version, and the statement that makes it a member."""

    name: str | None = None
    digest: Digest | None = None
    member: LoggedStatement | None = None
    found: LoggedStatement | None = None


def assess(requirement: Requirement, records: Records, at: datetime, rules: Rules) -> RequirementResult:
    """Decide what `records` show about `requirement` at `at`; `rules` resolves its references to other requirements."""
    sieve = Sieve(requirement, records, at)
    drawn = _targets(sieve, rules)
    if isinstance(drawn, RequirementResult):
        return drawn
    used: dict[int, LoggedStatement] = {}
    members = tuple(judge(target, sieve, rules, used) for target in drawn)
    return _result(sieve, members, used.values(), summary(requirement, members))


def unchanged(
    result: RequirementResult, then: Records, since: datetime, now: Records, at: datetime, rules: Rules
) -> bool:
    """Tell whether `result`, computed from `then` at `since`, must also be what `now` shows at `at`."""
    asked = result.requirement
    kinds = [asked.evidence, *(rules[name].evidence for name in asked.links), *(t.evidence for t in asked.triggers)]
    ends = result.verdict.next_change
    return (
        since <= at
        and (ends is None or at < ends)
        and (then.tenant, then.demo) == (now.tenant, now.demo)
        and all(now.trail(kind) is then.trail(kind) for kind in kinds)
        and all((then.trail(kind).newest or since) <= since for kind in kinds)
    )


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict that decides: what is not satisfied before what is pending, the worst reason first."""
    return min(verdicts, key=lambda v: (_STATES.index(v.state), _REASONS.index(v.reason)))


def soonest(verdicts: Iterable[Verdict]) -> datetime | None:
    """Return the first time at which one of the verdicts can change by time alone."""
    return min((v.next_change for v in verdicts if v.next_change), default=None)


def expiry(requirement: Requirement, logged: LoggedStatement) -> datetime | None:
    """Return when a statement stops being fresh; a claimed time later than its recording is not believed."""
    if requirement.freshness is None:
        return None
    return min(logged.envelope.statement.issuance.issued_at, logged.recorded_at) + requirement.freshness


def _targets(sieve: Sieve, rules: Rules) -> list[Target] | RequirementResult:
    requirement = sieve.requirement
    if requirement.for_each is not None:
        return _drawn(sieve, requirement.for_each, rules)
    match requirement.selection:
        case Selection.LATEST:
            return [Target(requirement.about, found=sieve.newest(requirement.about))]
        case Selection.LATEST_PER_SUBJECT:
            found = ((name, sieve.newest(name)) for name in sieve.subjects())
            return [Target(n, digest_under(s, n), s, s) for n, s in found if s is not None] or [Target()]
        case Selection.EVERY:
            counted = sieve.every()
            fresh = [s for s in counted if not _stale(requirement, s, sieve.at)]
            return [Target(f"entry {s.entry}", None, s, s) for s in fresh or counted[:1]] or [Target()]


def _drawn(sieve: Sieve, population: Population, rules: Rules) -> list[Target] | RequirementResult:
    source = Sieve(rules[population.of], sieve.records, sieve.at)
    if population.items is None:
        members = [(name, source.newest(name)) for name in source.subjects()]
        drawn = [(n, digest_under(s, n), s) for n, s in members if s is not None]
        if population.by == "digest":
            found = [Target(n, d, s, sieve.newest_of(d)) for n, d, s in drawn if d is not None]
        else:
            found = [Target(n, d, s, sieve.newest(n, d)) for n, d, s in drawn]
        return found or _no_population(sieve, population.noun)
    scope = source.newest(source.requirement.about)
    names = rule.claim(scope.envelope.statement.claims, population.items) if scope else rule.ABSENT
    if scope is None or not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return _no_population(sieve, population.noun)
    subjects = [population.prefix + name for name in sorted(set(names))]
    meant, aside = _narrowed(population.only, subjects, sieve, rules)
    if not meant:
        return _result(sieve, (), [scope, *aside], Verdict(State.NOT_APPLICABLE, population.none))
    return [Target(name, None, scope, sieve.newest(name)) for name in meant]


def _narrowed(
    only: Narrowing | None, subjects: list[str], sieve: Sieve, rules: Rules
) -> tuple[list[str], list[LoggedStatement]]:
    """Return which subjects are meant, and the statements that leave the others out."""
    if only is None:
        return subjects, []
    source = Sieve(rules[only.of], sieve.records, sieve.at)
    said = {name: source.newest(name) for name in subjects}
    aside = {name: logged for name, logged in said.items() if logged is not None and _left_out(only, logged)}
    return [name for name in subjects if name not in aside], list(aside.values())


def _left_out(only: Narrowing, logged: LoggedStatement) -> bool:
    words = rule.claim(logged.envelope.statement.claims, only.claim)
    return isinstance(words, list) and only.any.isdisjoint(map(str, words))


def _no_population(sieve: Sieve, noun: str) -> RequirementResult:
    because = f"no statement that counts says which {noun}s there are"
    return _result(sieve, (), [], Verdict(State.NOT_SATISFIED, because, Reason.MISSING))


def judge(target: Target, sieve: Sieve, rules: Rules, used: dict[int, LoggedStatement]) -> MemberResult:
    """Decide about one thing; the statements that this rests on are put into `used`."""
    contradiction = _contradiction(target, sieve, rules)
    recounted = _recounted(target, sieve, rules)
    since = overtaken(sieve.requirement, target.found, sieve.records, sieve.at) if target.found else None
    event = since.event if since else None
    rests_on = [s for s in (target.member, target.found, contradiction, event, *recounted.rests_on) if s is not None]
    used.update((s.entry, s) for s in rests_on)
    if target.found is None:
        verdict = _absent(target, sieve)
    elif contradiction is not None and sieve.requirement.contradicted_by is not None:
        because = f"{sieve.requirement.contradicted_by.when.because} (entry {contradiction.entry})"
        verdict = Verdict(State.NOT_SATISFIED, because, Reason.CONTRADICTED)
    else:
        verdict = _present(sieve.requirement, target.found, sieve.at)
        if recounted.wrong and verdict.state is State.SATISFIED:
            verdict = Verdict(State.NOT_SATISFIED, f"entry {target.found.entry}: {recounted.wrong}", Reason.FAILED)
        if since is not None and verdict.state is State.SATISFIED:
            verdict = since.verdict(verdict, sieve.at)
    return MemberResult(target.name or "", verdict, tuple(sorted({s.entry for s in rests_on})))


def _contradiction(target: Target, sieve: Sieve, rules: Rules) -> LoggedStatement | None:
    taken_back = sieve.requirement.contradicted_by
    if taken_back is None or target.name is None:
        return None
    other = Sieve(rules[taken_back.of], sieve.records, sieve.at).newest(target.name, target.digest)
    if other is None or not rule.holds(taken_back.when, other.envelope.statement.claims):
        return None
    return other


def _recounted(target: Target, sieve: Sieve, rules: Rules) -> Recounted:
    by = sieve.requirement.recount
    if by is None or target.found is None:
        return Recounted()
    openings, votes = (Sieve(rules[name], sieve.records, sieve.at) for name in (by.opening, by.votes))
    return recount(target.found, openings.every(), votes.every())


def _absent(target: Target, sieve: Sieve) -> Verdict:
    requirement = sieve.requirement
    if target.member is not None and requirement.grace:
        deadline = target.member.recorded_at + requirement.grace
        if sieve.at < deadline:
            return Verdict(State.PENDING, f"due by {to_text(deadline)}", next_change=deadline)
    shortfall = sieve.shortfall(target.name, target.digest)
    if shortfall is None:
        because = f"no {requirement.evidence} statement" + (" for this version" if target.digest else "")
        return Verdict(State.NOT_SATISFIED, because, Reason.MISSING)
    return Verdict(
        State.NOT_SATISFIED, f"the newest {requirement.evidence} does not count: {shortfall[1]}", shortfall[0]
    )


def _present(requirement: Requirement, logged: LoggedStatement, at: datetime) -> Verdict:
    claims = logged.envelope.statement.claims
    failing = rule.failing(requirement.conditions, claims)
    if failing is not None:
        # Where every fresh statement counts, one that failed leaves the picture when it runs out.
        leaves = expiry(requirement, logged) if requirement.selection is Selection.EVERY else None
        ahead = leaves if leaves is not None and leaves > at else None
        said = rule.complaint(failing, claims)
        return Verdict(State.NOT_SATISFIED, said, Reason.FAILED, ahead, failing.next_step)
    if weak := too_weak(requirement, logged):
        return Verdict(State.NOT_SATISFIED, f"the newest {requirement.evidence} shows too little: {weak[1]}", weak[0])
    until = expiry(requirement, logged)
    if until is not None and _stale(requirement, logged, at):
        return Verdict(
            State.NOT_SATISFIED, f"the newest {requirement.evidence} ran out on {to_text(until)}", Reason.STALE
        )
    return Verdict(State.SATISFIED, f"entry {logged.entry} shows {requirement.asks}", next_change=until)


def _stale(requirement: Requirement, logged: LoggedStatement, at: datetime) -> bool:
    until = expiry(requirement, logged)
    return until is not None and at >= until


def summary(requirement: Requirement, members: tuple[MemberResult, ...]) -> Verdict:
    """Return the verdict on all members: the worst, with the first of those it is the verdict on."""
    verdicts = [member.verdict for member in members]
    decisive = worst(verdicts)
    if len(members) == 1 and not members[0].name:
        return decisive
    alike = [m for m in members if (m.verdict.state, m.verdict.reason) == (decisive.state, decisive.reason)]
    named = "; ".join(f"{member.name}: {member.verdict.because}" for member in alike[:_SHOWN])
    because = f"{len(alike)} of {len(members)}: {named}" + ("; …" if len(alike) > _SHOWN else "")
    if decisive.state is State.SATISFIED:
        because = f"{len(members)} of {len(members)}: {requirement.asks}"
    return Verdict(decisive.state, because, decisive.reason, soonest(verdicts), decisive.next_step)


def _result(
    sieve: Sieve, members: tuple[MemberResult, ...], used: Iterable[LoggedStatement], verdict: Verdict
) -> RequirementResult:
    ignored, total = sieve.ignored()
    statements = sorted(used, key=lambda s: s.entry)
    return RequirementResult(
        requirement=sieve.requirement,
        verdict=verdict,
        members=members,
        rests_on=tuple(support(s) for s in statements),
        ignored=ignored,
        ignored_total=total,
        signers=tuple(sorted({signer(s.issuer) for s in statements if s.issuer is not None})),
    )
