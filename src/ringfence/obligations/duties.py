"""Decide where a tenant stands towards each provision: only signed classifications say, and never a guess.

What no statement determines is undetermined, which still counts as possibly binding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from ringfence.kernel.clock import from_text
from ringfence.kernel.errors import MalformedInput
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations import rule
from ringfence.obligations.model import NATIONAL, Catalog, Claims, Duty, Obligation, Standing, Who
from ringfence.obligations.records import Records
from ringfence.obligations.scope.ai_act import OUT_OF_SCOPE
from ringfence.obligations.scope.answer import UNDETERMINED
from ringfence.obligations.scope.statement import GRAVITY
from ringfence.obligations.sieve import Sieve

ENTITY = "gov-01.classification"
SYSTEM = "gov-03.system"
UNSIGNED = "no scope was signed"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What signed statements say about the tenant: its classification, and that of each AI system that it lists."""

    entity: LoggedStatement | None
    systems: Mapping[str, LoggedStatement | None] | None  # None: no statement lists them

    @property
    def claims(self) -> Claims:
        """Return the claims of the entity's classification; empty where there is none."""
        return self.entity.envelope.statement.claims if self.entity else {}

    @property
    def entries(self) -> tuple[int, ...]:
        """Return the entry of the entity's classification."""
        return (self.entity.entry,) if self.entity else ()


def circumstances(catalog: Catalog, records: Records, at: datetime) -> Circumstances:
    """Gather the newest classifications that count at `at`, by the same measure as the controls that ask for them."""
    entity = Sieve(catalog.requirements[ENTITY], records, at).newest()
    requirement = catalog.requirements[SYSTEM]
    population = requirement.for_each
    names = rule.claim(entity.envelope.statement.claims, population.items or "") if entity and population else None
    if not isinstance(names, list) or population is None:
        return Circumstances(entity, None)
    sieve = Sieve(requirement, records, at)
    return Circumstances(entity, {str(n): sieve.newest(f"{population.prefix}{n}") for n in names})


def duty(obligation: Obligation, facts: Circumstances, catalog: Catalog, at: datetime) -> Duty:
    """Decide where the tenant stands towards `obligation` at `at`."""
    if obligation.kind == "basis":
        return Duty(obligation, Standing.BASIS, "it defines or classifies and asks nothing of anybody")
    if facts.entity is None:
        return Duty(obligation, Standing.UNDETERMINED, UNSIGNED, earliest(obligation))
    if obligation.who in (Who.ANY_AI, Who.AI_ROLE):
        return _ai(obligation, facts, at)
    ours, because = _addressed(obligation, facts.claims)
    if ours is False:
        return Duty(obligation, Standing.NOT_OURS, because, None, facts.entries)
    if obligation.applies_from == NATIONAL:
        return _national(obligation, because, facts, catalog, at, ours=ours)
    start = earliest(obligation)
    if start is not None and day(start) > at:
        return Duty(obligation, Standing.UPCOMING, f"applies from {start}; {because}", start, facts.entries)
    standing = Standing.BINDING if ours else Standing.UNDETERMINED
    return Duty(obligation, standing, because, start, facts.entries)


def may_bind(found: Duty, at: datetime) -> bool:
    """Tell whether a duty binds at `at`, or may: what is undetermined and has no later date may."""
    if found.standing is Standing.UNDETERMINED:
        return found.applies_from is None or day(found.applies_from) <= at
    return found.standing is Standing.BINDING


def earliest(obligation: Obligation) -> date | None:
    """Return the first date from which an obligation can bind anybody, as far as the text itself says."""
    start = obligation.applies_from
    if start is None or isinstance(start, date):
        return start
    return None if isinstance(start, str) else min(start.values())


def day(start: date) -> datetime:
    """Return the instant at which a date begins, in UTC."""
    return datetime.combine(start, time(), UTC)


def _addressed(obligation: Obligation, claims: Claims) -> tuple[bool | None, str]:
    """Say whether a provision addresses the entity; None where its statement does not determine it."""
    category, listed = claims.get("category"), claims.get("binds2690")
    match obligation.who:
        case Who.EVERYONE:
            return True, "it addresses everyone"
        case Who.ENTITY if isinstance(category, str):
            return category in obligation.among, f"the entity is classified as {category}"
        case Who.LISTED_TYPE if isinstance(listed, bool):
            return listed, f"Regulation 2024/2690 {'binds' if listed else 'does not bind'} the entity"
        case Who.LISTED_TYPE_BUT_TRUST:
            return _registry(category, listed)
        case Who.PERSONAL_DATA:
            return None, "the signed scope does not say whether personal data are processed"
        case Who.PRODUCT:
            return None, "the signed scope does not say whether a product with digital elements is placed on the market"
        case _:
            return None, "the legal data and the signed scope do not determine it"


def _registry(category: object, listed: object) -> tuple[bool | None, str]:
    if listed is False and category != "registration_only":
        return False, "the entity is not of a type that Article 26(1)(b) lists"
    if category == "registration_only":
        return True, "the entity provides domain name registration services"
    return None, "the signed scope does not say whether the entity is a trust service provider, which is left out"


def _national(
    obligation: Obligation, because: str, facts: Circumstances, catalog: Catalog, at: datetime, *, ours: bool | None
) -> Duty:
    state = catalog.national.get(str(facts.claims.get("jurisdiction")))
    if state is None:
        why = f"{because}; the signed scope names no Member State whose act would bind"
        return Duty(obligation, Standing.UNDETERMINED, why, None, facts.entries)
    if state.in_force is None:
        why = f"{because}; no national act in force was found for {state.code} (looked on {state.verified_on})"
        return Duty(obligation, Standing.UPCOMING, why, None, facts.entries)
    if day(state.in_force) > at:
        why = f"{because}; the national act of {state.code} applies from {state.in_force}"
        return Duty(obligation, Standing.UPCOMING, why, state.in_force, facts.entries)
    standing = Standing.BINDING if ours else Standing.UNDETERMINED
    return Duty(obligation, standing, because, state.in_force, facts.entries)


def _ai(obligation: Obligation, facts: Circumstances, at: datetime) -> Duty:
    first = earliest(obligation)
    if facts.systems is None:
        return Duty(obligation, Standing.UNDETERMINED, "no signed list of AI systems", first, facts.entries)
    claims = {name: logged.envelope.statement.claims for name, logged in facts.systems.items() if logged is not None}
    entries = (*facts.entries, *sorted(logged.entry for logged in facts.systems.values() if logged is not None))
    hits = sorted((start, name) for name in claims if (start := _start(obligation, claims[name])) is not None)
    if hits:
        start, name = hits[0]
        standing = Standing.UPCOMING if day(start) > at else Standing.BINDING
        return Duty(obligation, standing, f"system/{name}: applies from {start}", start, entries)
    open_ = [name for name in facts.systems if name not in claims or not _excluded(obligation, claims[name])]
    if open_:
        why = f"the signed classifications leave it open for {len(open_)} of {len(facts.systems)} AI systems"
        return Duty(obligation, Standing.UNDETERMINED, why, first, entries)
    return Duty(obligation, Standing.NOT_OURS, "no AI system of the signed scope is of such a class", None, entries)


def _start(obligation: Obligation, claims: Claims) -> date | None:
    """Return from when an obligation binds because of one system; None where it does not, or where it is open."""
    start, kind = obligation.applies_from, claims.get("class")
    if start is None or isinstance(start, (date, str)):
        return (
            start if isinstance(start, date) and kind in GRAVITY and kind not in (OUT_OF_SCOPE, UNDETERMINED) else None
        )
    if not isinstance(kind, str) or claims.get("role") not in obligation.among:
        return None
    return max(start[kind], _claimed(claims) or date.min) if kind in start else None


def _excluded(obligation: Obligation, claims: Claims) -> bool:
    """Tell whether a classification rules an obligation out.

    It names the gravest class of a system only. Graver ones are excluded by that; lesser ones, and the same one in
    another role, are not.
    """
    kind = claims.get("class")
    if kind not in GRAVITY or kind == UNDETERMINED:
        return False
    asked = obligation.applies_from
    return kind == OUT_OF_SCOPE or (
        isinstance(asked, Mapping) and all(GRAVITY.index(name) < GRAVITY.index(str(kind)) for name in asked)
    )


def _claimed(claims: Claims) -> date | None:
    # A later date than the general one is a transition rule that the classification found, for instance 111(3).
    value = claims.get("appliesFrom")
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else from_text(value).date()
    except (ValueError, MalformedInput):
        return None
