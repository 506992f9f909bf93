"""Stories told in statements, without keys or a log: for tests of whatever reads evidence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ringfence.kernel import assertion
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope, key_id_of
from ringfence.kernel.identifier import LogOrigin, PersonId, PredicateName, Tenant
from ringfence.kernel.statement import Issuance, KeyRole, Statement, Strength, Subject
from ringfence.ledger.model import Issuer, LoggedStatement, Standing
from ringfence.obligations.model import Catalog, Condition, Op, Requirement

MEMBER = PersonId("person-000000000001")  # whose passkey signs what the operators of stories state
_NOBODYS = str(Digest.of(b""))  # of every envelope here: none carries bytes
_TERMS: dict[str, Any] = {
    "resolution": "resolution-000000000001",
    "about": "measures",
    "eligible": 1,
    "quorum": 1,
    "agreementsNeeded": 1,
    "measureSet": _NOBODYS,
    "shown": ["control-status", "exceptions", "measure-set", "open-risks"],
    "tasksOverdue": 0,
}
_SIGNED = _TERMS | {"members": [MEMBER], "opening": _NOBODYS, "choice": "agree", "corrects": ""}
_COUNTED = _TERMS | {
    "opening": _NOBODYS,
    "outcome": "approved",
    "members": 1,
    "voted": 1,
    "inFavour": 1,
    "against": 0,
    "abstained": 0,
    "votes": [_NOBODYS],
}
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OPERATOR, CONTROL_PLANE = KeyRole.OPERATOR, KeyRole.CONTROL_PLANE


class Story:
    """Log statements of one tenant, a second apart unless told; envelopes carry no signature."""

    def __init__(self, tenant: str = "acme", *, start: datetime = START, demo: bool = False) -> None:
        self.tenant = Tenant(tenant)
        self.demo = demo
        self.now = start
        self.statements: list[LoggedStatement] = []

    def add(
        self,
        predicate: str,
        claims: Mapping[str, Any],
        *,
        subject: str = "thing/1",
        version: int = 1,
        role: KeyRole = OPERATOR,
        strength: Strength = Strength.OBSERVED,
        standing: Standing = Standing.TRUSTED,
        issued_at: datetime | None = None,
        **flags: bool,
    ) -> LoggedStatement:
        """Log one statement about one subject; `version` decides the subject's digest."""
        entry = len(self.statements)
        self.now += SECOND
        issuer = issuer_of(role)
        statement = Statement(
            predicate=PredicateName(predicate),
            subjects=(Subject(subject, Digest.of(f"{subject} {version}".encode())),),
            claims=dict(claims),
            issuance=Issuance(
                tenant=self.tenant,
                log=LogOrigin("example.eu/log"),
                issuer=issuer.key,
                strength=strength,
                sequence=entry + 1,
                nonce=f"{entry:032x}",
                idempotency_key=str(entry),
                issued_at=issued_at or self.now,
                demo=flags.get("demo", self.demo),
                late=flags.get("late", False),
            ),
        )
        known = None if standing is Standing.UNKNOWN else issuer
        envelope = Envelope(b"", b"", issuer.key, b"", statement)
        logged = LoggedStatement(entry, from_millis(to_millis(self.now)), envelope, None, standing, known)
        self.statements.append(logged)
        return logged

    def wait(self, span: timedelta) -> datetime:
        """Let time pass; return the new time."""
        self.now += span
        return self.now


class StoryEvidence:
    """Answer from stories; fulfils `ringfence.obligations.ports.Evidence`. `asked` counts whole readings."""

    def __init__(self, *stories: Story) -> None:
        self.stories = stories
        self.asked = 0

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> list[LoggedStatement]:
        """Return a tenant's statements in log order."""
        self.asked += 1
        return self._found(tenant, predicates, at)

    def page(
        self,
        tenant: Tenant,
        *,
        before: int | None = None,
        limit: int = 50,
        predicates: Iterable[PredicateName] | None = None,
        at: datetime | None = None,
    ) -> list[LoggedStatement]:
        """Return a tenant's statements, newest first."""
        found = [s for s in self._found(tenant, predicates, at) if before is None or s.entry < before]
        return found[::-1][:limit]

    def _found(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None, at: datetime | None
    ) -> list[LoggedStatement]:
        wanted = None if predicates is None else set(predicates)
        return [
            logged
            for story in self.stories
            for logged in story.statements
            if story.tenant == tenant
            and (at is None or logged.recorded_at <= at)
            and (wanted is None or logged.envelope.statement.predicate in wanted)
        ]


def issuer_of(role: KeyRole) -> Issuer:
    """Return the one issuer that every story has for a role."""
    public_key = Digest.of(role.value.encode()).value
    century = timedelta(days=36500)
    issuer = Issuer(key_id_of(public_key), role, public_key, START - century, START + century, "file-passphrase")
    return replace(issuer, person=MEMBER, algorithm=assertion.ALGORITHM) if role is OPERATOR else issuer


def meeting(requirement: Requirement) -> dict[str, Any]:
    """Return claims that meet every condition of a requirement, made from the conditions alone."""
    claims: dict[str, Any] = _COUNTED.copy() if requirement.recount else {}
    for condition in requirement.conditions:
        if condition.op is not Op.SAME_AS:
            claims[condition.path] = claims.get(condition.path) or _meeting(condition)
    for condition in requirement.conditions:
        if condition.op is Op.SAME_AS:
            claims[condition.path] = claims.setdefault(str(condition.value), 7)
    return claims


def put_to_the_body(story: Story, rule: Requirement, rules: Mapping[str, Requirement]) -> None:
    """Log what people sign beside a decision that is counted again, as `meeting` names it."""
    for name in _of_people(rule):
        story.add(rules[name].evidence, meeting(rules[name]) | _SIGNED, strength=rules[name].strength)


def _of_people(rule: Requirement) -> list[str]:
    return [rule.recount.opening, rule.recount.votes] if rule.recount else []


def breaking(condition: Condition, claims: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return claims that differ from `claims` in one place, each of which must break `condition`."""
    rest = {name: value for name, value in claims.items() if name != condition.path}
    wanted = condition.value
    wrong: list[Any] = {
        Op.EQUALS: [_other(wanted), None],
        Op.ONE_OF: ["something-else", 1, None],
        Op.AT_LEAST: [_number(wanted) - 1, str(wanted), True, None],
        Op.AT_MOST: [_number(wanted) + 1, str(wanted), False, None],
        Op.PRESENT: ["", [], {}, None],
        Op.TRUE: [False, 1, "true", None],
        Op.INCLUDES: [list(wanted)[1:] if isinstance(wanted, tuple) else [], "text", None],
        Op.SAME_AS: [_number(claims.get(str(wanted))) + 1, None],
    }[condition.op]
    return [rest, *(rest | {condition.path: value} for value in wrong)]


def _meeting(condition: Condition) -> Any:
    match condition.op, condition.value:
        case Op.PRESENT, _:
            return "something"
        case Op.TRUE, _:
            return True
        case Op.ONE_OF, tuple(values):
            return values[0]
        case _, tuple(values):
            return list(values)
        case _, value:
            return value


def _other(wanted: Any) -> Any:
    return wanted + 1 if type(wanted) is int else ["something"] if isinstance(wanted, tuple) else f"not {wanted}"


def _number(value: Any) -> int:
    return value if type(value) is int else 0


@dataclass(frozen=True, slots=True)
class Made:
    """A statement that a rule set asks for, made from its conditions."""

    evidence: PredicateName
    claims: Mapping[str, Any]
    subject: str
    role: KeyRole
    strength: Strength


def made_for(catalog: Catalog, given: Mapping[str, Mapping[str, Any]]) -> list[Made]:
    """Return statements that meet every rule of whose evidence type there is none among `given`.

    Whatever lists the members of a population lists "one", where its own rule asks for no names.
    """
    rules = catalog.requirements
    claims: dict[tuple[PredicateName, str], dict[str, Any]] = {}
    subjects: dict[str, list[str]] = {}
    for rule in sorted(rules.values(), key=lambda rule: rule.for_each is not None):
        subjects[rule.id] = _members(rule, subjects, claims, given, rules)
        for subject in subjects[rule.id] if rule.evidence not in given else ():
            told = claims.setdefault((rule.evidence, subject), {})
            told |= {name: _joined(told.get(name), value) for name, value in meeting(rule).items()}
            told |= {name: ["one"] for name in _lists(rule, rules) if not isinstance(told.get(name), list)}
    of_people = {rules[name].evidence for rule in rules.values() for name in _of_people(rule)}
    for (name, _), told in claims.items():
        told.update(_SIGNED if name in of_people else {})
    asked = {rule.evidence: rule for rule in rules.values()}
    found = [
        Made(name, told, subject, min(asked[name].issuers), asked[name].strength)
        for (name, subject), told in claims.items()
    ]
    return sorted(found, key=lambda made: _after(made.evidence, catalog))


def _after(evidence: PredicateName, catalog: Catalog) -> int:
    """Return how many events of other types come before evidence, each of which it would have to be shown anew for."""
    asking = [rule for rule in catalog.requirements.values() if rule.evidence == evidence]
    events = {trigger.evidence for rule in asking for trigger in rule.triggers}
    return 1 + max(_after(event, catalog) for event in events) if events else 0


def _joined(one: Any, other: Any) -> Any:
    return sorted({*one, *other}) if isinstance(one, list) and isinstance(other, list) else other


def _lists(rule: Requirement, rules: Mapping[str, Requirement]) -> list[str]:
    drawn = [each.for_each for each in rules.values() if each.for_each is not None]
    return [population.items for population in drawn if population.of == rule.id and population.items]


def _members(
    rule: Requirement,
    subjects: Mapping[str, list[str]],
    claims: Mapping[tuple[PredicateName, str], Mapping[str, Any]],
    given: Mapping[str, Mapping[str, Any]],
    rules: Mapping[str, Requirement],
) -> list[str]:
    population = rule.for_each
    if population is None:
        return [rule.about or (given[rule.evidence]["subject"] if rule.evidence in given else "thing/1")]
    if population.items is None:
        return subjects[population.of]
    source = rules[population.of].evidence
    told = given[source]["claims"] if source in given else claims[source, subjects[population.of][0]]
    return [population.prefix + name for name in told.get(population.items, [])]
