"""Measured values beside the thresholds that bind: proposes with facts, never decides.

Source: Implementing Regulation (EU) 2024/2690 Articles 3 to 14 and NIS2 23(3), as `thresholds.parse` reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from ringfence.incidents.model import Fact, FactKind, FindingFacts, Incident
from ringfence.incidents.terms import Threshold

NOT_KNOWN = "not known at this time"
SUCCESS_RULES = frozenset({"ssh-account-guessed", "ssh-guessing-then-success"})
ANY_OF_TYPE = "3(1)(g)"
WARN_BEFORE = timedelta(minutes=10)  # 20 of 30 minutes: somebody has to act before the threshold is reached
# What a person can enter as measured, each a whole number of at least 0.
QUANTITIES: Mapping[str, str] = {
    "minutesUnavailable": "minutes in which the service was completely unavailable",
    "minutesLimited": "minutes in which its availability was limited",
    "usersAffected": "users in the Union that were affected",
    "usersTotal": "users of the service in the Union",
    "lossEur": "direct financial loss in EUR",
    "turnoverEur": "total annual turnover of the entity itself in the preceding financial year, in EUR",
    "occurrences": "occurrences with the same apparent root cause within six months",
}


class Verdict(StrEnum):
    """What measured values say beside a threshold; the decision is a person's."""

    MET = "met"
    NOT_MET = "not-met"
    UNKNOWN = "unknown"
    JUDGEMENT = "judgement"


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion with the threshold and the measured value beside it."""

    code: str
    text: str
    threshold: str
    measured: str
    verdict: Verdict
    facts: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def proposed(self) -> bool:
        """Tell whether facts speak for it; a person decides."""
        return self.verdict is Verdict.MET or bool(self.facts)


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known in numbers, and what facts speak."""

    numbers: Mapping[str, int]
    isolated: timedelta | None  # of a customer-facing node, the longest that lasted without a break
    successes: tuple[FindingFacts, ...]
    taken: tuple[Fact, ...]

    @property
    def evidence(self) -> tuple[str, ...]:
        """Return what shows the successful access."""
        return tuple(found.envelope or found.id for found in self.successes)


def assess(incident: Incident, thresholds: tuple[Threshold, ...], now: datetime) -> tuple[Criterion, ...]:
    """Return every criterion with what is measured and what the facts say."""
    known = measured(incident, now)
    found = [_criterion(threshold, known) for threshold in thresholds]
    typed = [one.code for one, threshold in zip(found, thresholds, strict=True) if threshold.type and one.proposed]
    return tuple(_with_types(one, typed) if one.code == ANY_OF_TYPE else one for one in found)


def _with_types(one: Criterion, typed: list[str]) -> Criterion:
    facts = tuple(f"{code} is proposed" for code in typed)
    return replace(one, threshold="any criterion of the entity's own type", facts=facts)


def measured(incident: Incident, now: datetime) -> Measured:
    """Gather numbers from triage and from what was done to customer-facing nodes."""
    numbers = dict(incident.triage.measured) if incident.triage else {}
    return Measured(
        numbers,
        isolation(incident, now),
        tuple(found for found in incident.findings if found.rule in SUCCESS_RULES),
        tuple(fact for fact in incident.facts if fact.kind in {FactKind.DATA_READ, FactKind.DATA_SENT}),
    )


def isolation(incident: Incident, now: datetime) -> timedelta | None:
    """Return the longest isolation of a customer-facing node; None where there was none."""
    began: dict[str, datetime] = {}
    lengths: list[timedelta] = []
    for fact in sorted(incident.facts, key=lambda one: one.at):
        if fact.kind is FactKind.ISOLATED and fact.customer_facing:
            began.setdefault(fact.node, fact.at)
        elif fact.kind is FactKind.RELEASED and fact.node in began:
            lengths.append(fact.at - began.pop(fact.node))
    lengths += [max(timedelta(0), now - at) for at in began.values()]
    return max(lengths, default=None)


def warnings(incident: Incident, thresholds: tuple[Threshold, ...], now: datetime) -> tuple[str, ...]:
    """Say which availability thresholds an isolation of ours is about to reach, or has reached."""
    isolated = isolation(incident, now)
    if isolated is None:
        return ()
    return tuple(
        f"{one.code}: a customer-facing node has been isolated for {_minutes(isolated)}; the threshold is "
        f"{'any time at all' if not one.minutes else f'more than {one.minutes} min'}"
        for one in thresholds
        if one.kind == "unavailable" and one.minutes is not None
        if isolated >= timedelta(minutes=one.minutes) - WARN_BEFORE
    )


def _minutes(length: timedelta) -> str:
    return f"{int(length.total_seconds() // 60)} min"


def _criterion(one: Threshold, known: Measured) -> Criterion:
    match one.kind:
        case "financial_loss":
            return _loss(one, known)
        case "unavailable" | "limited" | "slow" | "unavailable_week":
            return _duration(one, known)
        case "malicious_access":
            return _access(one, known)
        case "trade_secret" | "malicious_data" | "data_users" | "data":
            return _taken(one, known)
        case "recurring":
            return _recurring(one, known)
        case _:
            return Criterion(one.code, one.text, "a person's judgement", NOT_KNOWN, Verdict.JUDGEMENT)


def _loss(one: Threshold, known: Measured) -> Criterion:
    eur, percent = one.eur or 0, one.turnover_pct or 0
    turnover, loss = known.numbers.get("turnoverEur"), known.numbers.get("lossEur")
    share = None if turnover is None else int(turnover * percent / 100)
    limit = eur if share is None else min(eur, share)
    words = f"more than EUR {limit:,}" + ("" if share is not None else f", or {percent} % of turnover if that is lower")
    if loss is None:
        return Criterion(one.code, one.text, words, NOT_KNOWN, Verdict.UNKNOWN)
    open_end = share is None and loss <= limit
    verdict = Verdict.UNKNOWN if open_end else _beyond(loss, limit)
    return Criterion(one.code, one.text, words, f"EUR {loss:,}", verdict)


def _beyond(value: int, limit: int) -> Verdict:
    return Verdict.MET if value > limit else Verdict.NOT_MET


def _duration(one: Threshold, known: Measured) -> Criterion:
    complete = one.kind.startswith("unavailable")
    minutes = known.numbers.get("minutesUnavailable" if complete else "minutesLimited")
    share, limit = _users(one, known)
    parts = ["any duration" if not one.minutes else f"more than {one.minutes} min"]
    shown = [NOT_KNOWN if minutes is None else f"{minutes} min"]
    if limit is not None:
        parts.append(f"more than {limit} users")
        shown.append(f"{known.numbers.get('usersAffected', NOT_KNOWN)} users")
    wanted = [] if one.minutes is None else [None if minutes is None else _beyond(minutes, one.minutes)]
    wanted += [] if limit is None else [share]
    verdict = Verdict.JUDGEMENT if one.kind == "slow" else _all(wanted)
    facts = _isolated(one, known) if complete else ()
    if facts and verdict is not Verdict.MET:
        verdict = Verdict.JUDGEMENT  # whether an isolated node is the whole service, a person knows
    return Criterion(one.code, one.text, " and ".join(parts), ", ".join(shown), verdict, facts)


def _isolated(one: Threshold, known: Measured) -> tuple[str, ...]:
    if known.isolated is None or known.isolated <= timedelta(minutes=one.minutes or 0):
        return ()
    return (f"a customer-facing node was isolated for {_minutes(known.isolated)}, by ourselves",)


def _all(wanted: list[Verdict | None]) -> Verdict:
    if Verdict.NOT_MET in wanted:
        return Verdict.NOT_MET
    return Verdict.UNKNOWN if None in wanted or not wanted else Verdict.MET


def _users(one: Threshold, known: Measured) -> tuple[Verdict | None, str | None]:
    """Judge the number of users: the smaller of the share and the absolute number binds."""
    if one.users_abs is None or one.users_pct is None:
        return None, None
    total, affected = known.numbers.get("usersTotal"), known.numbers.get("usersAffected")
    share = None if total is None else total * one.users_pct / 100
    limit = Decimal(one.users_abs) if share is None else min(share, Decimal(one.users_abs))
    words = f"{limit}" if share is not None else f"{one.users_pct} % or {one.users_abs:,}, whichever is smaller,"
    if affected is None or (share is None and affected <= one.users_abs):
        return None, words
    return (Verdict.MET if affected > limit else Verdict.NOT_MET), words


def _access(one: Threshold, known: Measured) -> Criterion:
    words = "a successful access; whether it was malicious and could disrupt severely is judged"
    if not known.successes:
        return Criterion(one.code, one.text, words, "no successful access in the findings", Verdict.JUDGEMENT)
    facts = tuple(f"{found.place} at {found.last_seen:%Y-%m-%d %H:%M:%S} UTC" for found in known.successes)
    shown = f"{len(known.successes)} successful after guessing"
    return Criterion(one.code, one.text, words, shown, Verdict.JUDGEMENT, facts, known.evidence)


def _taken(one: Threshold, known: Measured) -> Criterion:
    words = "reading or sending of data by whoever came in; what the data is, is judged"
    if one.kind == "data_users":
        words += f"; more than {_users(one, known)[1]} users"
    shown = f"{len(known.taken)} recorded" if known.taken else "none recorded"
    if not known.successes and one.kind != "data_users":
        return Criterion(one.code, one.text, words, shown, Verdict.JUDGEMENT)
    facts = tuple(f"{fact.kind.value} on {fact.node}: {fact.text}" for fact in known.taken)
    evidence = tuple(digest for fact in known.taken for digest in fact.evidence)
    return Criterion(one.code, one.text, words, shown, Verdict.JUDGEMENT, facts, evidence)


def _recurring(one: Threshold, known: Measured) -> Criterion:
    count = known.numbers.get("occurrences")
    words = "at least 2 within 6 months with one apparent root cause, together beyond 3(1)(a)"
    verdict = Verdict.NOT_MET if count is not None and count < 2 else Verdict.JUDGEMENT
    return Criterion(one.code, one.text, words, NOT_KNOWN if count is None else f"{count} occurrences", verdict)
