"""Carry a result over to newer statements: what they do not touch is taken as it was. Pure; only ever a shortcut.

The result is what `assess` would return, or nothing where that cannot be told without looking at everything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from ringfence.kernel.identifier import PredicateName
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations.assess import Rules, Target, judge, summary
from ringfence.obligations.model import Requirement, Selection
from ringfence.obligations.records import Records, digest_under
from ringfence.obligations.results import MemberResult, RequirementResult
from ringfence.obligations.sieve import Sieve, signer, support


def carried(
    result: RequirementResult, then: Records, since: datetime, now: Records, at: datetime, rules: Rules
) -> RequirementResult | None:
    """Return what `now` shows at `at`, from the result that `then` gave at `since`; None: assess it anew."""
    asked = result.requirement
    if not (since <= at and _by_name(asked) and result.members and all(one.name for one in result.members)):
        return None
    kinds = [asked.evidence, *(rules[name].evidence for name in asked.links)]
    apart = [trigger.evidence for trigger in asked.triggers]
    if not _comparable(then, since, now, kinds, apart):
        return None
    places = {one.name: place for place, one in enumerate(result.members)}
    members, used = list(result.members), dict[int, LoggedStatement]()
    sieve = Sieve(asked, now, at)
    for name in _touched(result.members, then, now, kinds, at):
        if name not in places and name in _drawn_from(asked, sieve, rules).trail.by_subject:
            return None  # a member more, perhaps
        if name in places:
            target = _target(name, asked, sieve, rules)
            if target is None:
                return None
            members[places[name]] = judge(target, sieve, rules, used)
    return _joined(result, tuple(members), used.values(), sieve)


def _by_name(asked: Requirement) -> bool:
    """Tell whether each member is judged by what names it, and by nothing else."""
    population = asked.for_each
    if asked.recount:
        return False
    if population is None:
        return asked.selection is Selection.LATEST_PER_SUBJECT
    return population.items is None and population.by == "name" and population.only is None


def _comparable(
    then: Records, since: datetime, now: Records, kinds: Iterable[PredicateName], apart: Iterable[PredicateName]
) -> bool:
    """Tell whether only statements came that may count, and none of those that touch every member at once."""
    return (
        (then.tenant, then.demo) == (now.tenant, now.demo)
        and all(now.trail(kind) is then.trail(kind) for kind in apart)
        and all(len(now.trail(kind).set_aside) == len(then.trail(kind).set_aside) for kind in kinds)
        and all((then.trail(kind).newest or since) <= since for kind in (*kinds, *apart))
    )


def _touched(
    members: Sequence[MemberResult], then: Records, now: Records, kinds: Iterable[PredicateName], at: datetime
) -> set[str]:
    """Return the subjects of newer statements, and the members whose time has come."""
    newer = (s for kind in set(kinds) for s in now.trail(kind).run[len(then.trail(kind).run) :])
    due = {one.name for one in members if one.verdict.next_change is not None and one.verdict.next_change <= at}
    return due.union(subject.name for logged in newer for subject in logged.envelope.statement.subjects)


def _drawn_from(asked: Requirement, sieve: Sieve, rules: Rules) -> Sieve:
    return Sieve(rules[asked.for_each.of], sieve.records, sieve.at) if asked.for_each else sieve


def _target(name: str, asked: Requirement, sieve: Sieve, rules: Rules) -> Target | None:
    member = _drawn_from(asked, sieve, rules).newest(name)
    if member is None:
        return None  # it is no member any more
    digest = digest_under(member, name)
    return Target(name, digest, member, sieve.newest(name, digest) if asked.for_each else member)


def _joined(
    result: RequirementResult, members: tuple[MemberResult, ...], used: Iterable[LoggedStatement], sieve: Sieve
) -> RequirementResult:
    fresh = list(used)
    known = {one.entry: one for one in result.rests_on} | {logged.entry: support(logged) for logged in fresh}
    rests_on = tuple(known[entry] for entry in sorted(set[int]().union(*(one.entries for one in members))))
    signers = {*result.signers, *(signer(logged.issuer) for logged in fresh if logged.issuer is not None)}
    keys = {one.issuer for one in rests_on}
    ignored, total = sieve.ignored()
    return replace(
        result,
        verdict=summary(result.requirement, members),
        members=members,
        rests_on=rests_on,
        ignored=ignored,
        ignored_total=total,
        signers=tuple(sorted(one for one in signers if one.key in keys)),
    )
