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
from ringfence.obligations.model import NATIONAL, Catalog, Claims, Obligation, Who
from ringfence.obligations.records import Records
from ringfence.obligations.results import Duty, Standing
from ringfence.obligations.scope.ai_act import OUT_OF_SCOPE
from ringfence.obligations.scope.answer import UNDETERMINED
from ringfence.obligations.scope.nis2 import TRUST_SERVICES
from ringfence.obligations.scope.rules import MemberState
from ringfence.obligations.scope.statement import GRAVITY
from ringfence.obligations.sieve import Sieve

ENTITY = "gov-01.classification"
SYSTEM = "gov-03.system"
UNSIGNED = "no scope was signed"
FINANCIAL = "financialEntity"


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

    @property
    def entries_of_all(self) -> tuple[tuple[int, ...], Mapping[str, int | None] | None]:
        """Return which statements these are: the same ones mean the same circumstances."""
        found = self.systems
        systems = None if found is None else {name: one.entry if one else None for name, one in found.items()}
        return self.entries, systems


def circumstances(catalog: Catalog, records: Records, at: datetime) -> Circumstances:
    """Gather the newest classifications that count at `at`, by the same measure as the controls that ask for them."""
    entity = Sieve(catalog.requirements[ENTITY], records, at).newest()
    requirement = catalog.requirements[SYSTEM]
    population = requirement.for_each
    names = rule.claim(entity.envelope.statement.claims, population.items or "") if entity and population else None
    if not isinstance(names, list) or population is None or (entity is not None and _unlisted(names, entity)):
        return Circumstances(entity, None)
    sieve = Sieve(requirement, records, at)
    return Circumstances(entity, {str(n): sieve.newest(f"{population.prefix}{n}") for n in names})


def _unlisted(names: list[object], entity: LoggedStatement) -> bool:
    """Tell whether no system is named because the profile does not say which there are."""
    gaps = entity.envelope.statement.claims.get("undetermined")
    return not names and isinstance(gaps, list) and "ai_systems" in gaps


def duty(obligation: Obligation, facts: Circumstances, catalog: Catalog, at: datetime) -> Duty:
    """Decide where the tenant stands towards `obligation` at `at`."""
    if obligation.kind == "basis":
        return Duty(obligation, Standing.BASIS, "it defines or classifies and asks nothing of anybody")
    if facts.entity is None:
        return Duty(obligation, Standing.UNDETERMINED, UNSIGNED, earliest(obligation))
    if obligation.who in (Who.ANY_AI, Who.AI_ROLE, Who.AI_ROLE_IN_PART):
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
    category = None if claims.get("category") == UNDETERMINED else claims.get("category")
    listed = claims.get("concerns2690", claims.get("binds2690"))
    match obligation.who:
        case Who.EVERYONE:
            return True, "it addresses everyone"
        case Who.ENTITY if isinstance(category, str):
            return category in obligation.among, f"the entity is classified as {category}"
        case Who.ENTITY_BUT_FINANCIAL if isinstance(category, str):
            return _unless_financial(obligation, claims, category)
        case Who.LISTED_TYPE if isinstance(listed, bool):
            return listed, f"Regulation 2024/2690 {'concerns' if listed else 'does not concern'} the entity"
        case Who.LISTED_TYPE_BUT_TRUST:
            return _registry(category, listed, claims.get("entityTypes"))
        case Who.FINANCIAL_ENTITY | Who.PERSONAL_DATA:
            return _stated(obligation.who, claims)
        case Who.PRODUCT:
            return _product(obligation, claims)
        case _:
            return None, "the legal data and the signed scope do not determine it"


# Claims that decide by themselves: what they say where they are there, and what is missing where they are not.
_STATED = {
    Who.FINANCIAL_ENTITY: (FINANCIAL, "a financial entity under DORA", "whether it is a financial entity under DORA"),
    Who.PERSONAL_DATA: ("personalData", "one that processes personal data", "whether personal data are processed"),
}


def _stated(who: Who, claims: Claims) -> tuple[bool | None, str]:
    name, is_, missing = _STATED[who]
    found = claims.get(name)
    if not isinstance(found, bool):
        return None, f"the signed scope does not say {missing}"
    return found, f"the entity is {'' if found else 'not '}{is_}"


def _unless_financial(obligation: Obligation, claims: Claims, category: str) -> tuple[bool, str]:
    if category in obligation.among and claims.get(FINANCIAL) is True:
        return False, "DORA takes the place of this provision for financial entities (NIS2 4)"
    return category in obligation.among, f"the entity is classified as {category}"


def _product(obligation: Obligation, claims: Claims) -> tuple[bool | None, str]:
    """Look for a product in one of the roles that are asked: those named, or else the manufacturer."""
    products = claims.get("products")
    if not isinstance(products, list):
        return None, "the signed scope does not say whether a product with digital elements is placed on the market"
    pairs = [tuple(str(one).partition(":")[::2]) for one in products]
    roles = obligation.among or ("manufacturer",)
    if hits := sorted(kind for role, kind in pairs if role in roles and kind not in (OUT_OF_SCOPE, UNDETERMINED)):
        return True, f"a product of the signed scope is of class {hits[0]}"
    if any(kind != OUT_OF_SCOPE and (role in (*roles, UNDETERMINED)) for role, kind in pairs):
        return None, "the signed scope leaves role or class of a product open"
    return False, "no product of the signed scope is addressed"


def _registry(category: object, listed: object, types: object) -> tuple[bool | None, str]:
    trusted = [kind in TRUST_SERVICES for kind in types] if isinstance(types, list) and listed is True else []
    if listed is False and category != "registration_only":
        return False, "the entity is not of a type that Article 26(1)(b) lists"
    if category == "registration_only":
        return True, "the entity provides domain name registration services"
    if trusted and all(trusted):
        return False, "the entity is a trust service provider, which Article 26(1)(b) leaves out"
    if trusted and not any(trusted):
        return True, "the entity is of a type that Article 26(1)(b) lists"
    return None, "the signed scope does not say whether the entity is a trust service provider, which is left out"


def _national(
    obligation: Obligation, because: str, facts: Circumstances, catalog: Catalog, at: datetime, *, ours: bool | None
) -> Duty:
    state = _decisive(str(facts.claims.get("jurisdiction")), catalog, at)
    if state is None:
        why = f"{because}; the signed scope names no Member State whose act would bind"
        return Duty(obligation, Standing.UNDETERMINED, why, None, facts.entries)
    if state.in_force is None:
        why = f"{because}; no national act in force was found for {state.code} (looked on {state.verified_on})"
        known = Standing.UNDETERMINED if state.status == "unknown" else Standing.UPCOMING
        return Duty(obligation, known, why, None, facts.entries)
    if day(state.in_force) > at:
        why = f"{because}; the national act of {state.code} applies from {state.in_force}"
        return Duty(obligation, Standing.UPCOMING, why, state.in_force, facts.entries)
    standing = Standing.BINDING if ours else Standing.UNDETERMINED
    return Duty(obligation, standing, because, state.in_force, facts.entries)


def _decisive(jurisdiction: str, catalog: Catalog, at: datetime) -> MemberState | None:
    """Return, of the Member States that a signed scope joins by commas, the one whose act binds, may, or will first."""
    found = [catalog.national.get(code) for code in jurisdiction.split(",")]
    states = [state for state in found if state is not None]
    if len(states) < len(found):
        return None

    def rank(state: MemberState) -> tuple[bool, bool, date, str]:
        start = state.in_force or date.max
        return day(start) > at, state.status != "unknown", start, state.code

    return min(states, key=rank)


def _ai(obligation: Obligation, facts: Circumstances, at: datetime) -> Duty:
    first = earliest(obligation)
    if facts.systems is None:
        return Duty(obligation, Standing.UNDETERMINED, "no signed list of AI systems", first, facts.entries)
    claims = {name: logged.envelope.statement.claims for name, logged in facts.systems.items() if logged is not None}
    entries = (*facts.entries, *sorted(logged.entry for logged in facts.systems.values() if logged is not None))
    hits = sorted((start, name) for name in claims if (start := _start(obligation, claims[name])) is not None)
    if hits:
        start, name = hits[0]
        if obligation.who is Who.AI_ROLE_IN_PART:
            why = f"system/{name}: it addresses some in this role only, and the signed scope does not say whether us"
            return Duty(obligation, Standing.UNDETERMINED, why, start, entries)
        standing = Standing.UPCOMING if day(start) > at else Standing.BINDING
        return Duty(obligation, standing, f"system/{name}: applies from {start}", start, entries)
    open_ = [name for name in facts.systems if name not in claims or not _excluded(obligation, claims[name])]
    if open_:
        why = f"the signed classifications leave it open for {len(open_)} of {len(facts.systems)} AI systems"
        return Duty(obligation, Standing.UNDETERMINED, why, first, entries)
    return Duty(obligation, Standing.NOT_OURS, "no AI system of the signed scope is of such a class", None, entries)


def _start(obligation: Obligation, claims: Claims) -> date | None:
    """Return from when an obligation binds because of one system; None where it does not, or where it is open."""
    pairs = _roles(claims) or ((claims.get("role"), claims.get("class")),)
    starts = [found for role, kind in pairs if (found := _start_of(obligation, role, kind, claims)) is not None]
    return min(starts, default=None)


def _start_of(obligation: Obligation, role: object, kind: object, claims: Claims) -> date | None:
    start = obligation.applies_from
    if start is None or isinstance(start, (date, str)):
        counts = kind in GRAVITY and kind not in (OUT_OF_SCOPE, UNDETERMINED)
        return (
            start if isinstance(start, date) and counts and (not obligation.among or role in obligation.among) else None
        )
    if not isinstance(kind, str) or role not in obligation.among or kind not in start:
        return None
    later = _claimed(claims) if kind == claims.get("class") else None  # what is claimed is the gravest class's day
    return max(start[kind], later or date.min)


def _roles(claims: Claims) -> tuple[tuple[str, str], ...]:
    """Return every role with its class, where the statement names them all; a statement of one names the gravest."""
    given = claims.get("roles")
    if not isinstance(given, list):
        return ()
    pairs = tuple((role, kind) for role, _, kind in (str(one).partition(":") for one in given))
    return pairs if all(kind in GRAVITY and kind != UNDETERMINED for _, kind in pairs) else ()


def _excluded(obligation: Obligation, claims: Claims) -> bool:
    """Tell whether a classification rules an obligation out.

    Where it names every role with its class, whatever none of them brings is out. Where it names the gravest class
    only, graver ones are excluded by that; lesser ones, and the same one in another role, are not.
    """
    asked = obligation.applies_from
    if _roles(claims) and isinstance(asked, (date, Mapping)):
        return _start(obligation, claims) is None
    kind = claims.get("class")
    if kind not in GRAVITY or kind == UNDETERMINED:
        return False
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
