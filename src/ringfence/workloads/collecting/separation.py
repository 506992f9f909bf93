"""The collector of `env.separation`: what production shares with other environments, by the file `environments.json`.

Which environment something belongs to is what people say, by name; what runs where, which key reaches what, and which
run opened which dataset on which node is what is on record.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.workloads.collecting.observing import observation

SEPARATION = PredicateName("env.separation")
FORMAT = "urn:ringfence:environments:v1"
FILE = "environments.json"
WINDOW = timedelta(days=90)  # of runs: as long as the longest freshness of a rule that asks
LISTED = 1000
MOST_ENVIRONMENTS, MOST_PATTERNS, LONGEST = 32, 256, 128
NODE, DATASET, DEPLOYMENT, KEY = "node", "dataset", "deployment", "key"
_KINDS = {"nodes": NODE, "datasets": DATASET, "deployments": DEPLOYMENT, "keys": KEY}


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that belongs to an environment by its name; `beside` are things that it cannot do without."""

    kind: str
    name: str
    beside: tuple[tuple[str, str], ...] = ()  # kind and name: the node of a deployment, the deployments of a key


@dataclass(frozen=True, slots=True)
class Opened:
    """A run that opened a dataset; no node is the machine of whoever typed it."""

    dataset: str
    node: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Which environment names belong to; patterns as a shell has them."""

    production: str
    environments: Mapping[str, Mapping[str, tuple[str, ...]]]  # environment -> kind -> patterns

    def of(self, kind: str, name: str) -> frozenset[str]:
        """Return the environments that claim a name."""
        claiming = (one for one, kinds in self.environments.items() if _claims(kinds.get(kind, ()), name))
        return frozenset(claiming)


NO_PLAN = Plan("", {})


@dataclass(frozen=True, slots=True)
class Separation:
    """Compare the plan with what is there."""

    plan: Callable[[], Plan]
    things: Callable[[Tenant], Iterable[Thing]]
    opened: Callable[[Tenant, datetime], Iterable[Opened]]
    now: Callable[[], datetime]

    def __call__(self, tenant: Tenant) -> Draft:
        """Look at everything that has a name."""
        since = self.now() - WINDOW
        return draft(tenant, self.plan(), list(self.things(tenant)), list(self.opened(tenant, since)))


def draft(tenant: Tenant, plan: Plan, things: Sequence[Thing], opened: Sequence[Opened]) -> Draft:
    """State what production shares, what of its data was opened elsewhere, and what belongs nowhere."""
    homes = {(one.kind, one.name): plan.of(one.kind, one.name) for one in things}
    reach = {(one.kind, one.name): _reach(plan, one, homes) for one in things}
    shared = sorted(key for key, found in reach.items() if plan.production in found and len(found) > 1)
    strayed = sorted({(one.dataset, one.node) for one in opened if _strays(plan, one)})
    unassigned = sorted(key for key, found in homes.items() if not found)
    listing = {name: {kind: list(each) for kind, each in kinds.items()} for name, kinds in plan.environments.items()}
    claims = {
        "environments": len(plan.environments),
        "shared": len(shared),
        "productionData": len({dataset for dataset, _ in strayed}),
        "unassigned": len(unassigned),
        "windowDays": WINDOW.days,
        "listing": str(Digest.of(dumps({"production": plan.production, "environments": listing}))),
    }
    details = {"shared": _listed(shared), "strayed": _listed(strayed), "unassigned": _listed(unassigned)}
    return observation(SEPARATION, tenant, claims, details, about="environments")


def _reach(plan: Plan, one: Thing, homes: Mapping[tuple[str, str], frozenset[str]]) -> frozenset[str]:
    """Return the environments of a thing and of what it stands on or leads to."""
    beside = (homes.get(each, plan.of(*each)) for each in one.beside)
    return homes[(one.kind, one.name)].union(*beside)


def _strays(plan: Plan, one: Opened) -> bool:
    return plan.production in plan.of(DATASET, one.dataset) and plan.of(NODE, one.node) != {plan.production}


def _listed(found: Iterable[tuple[str, str]]) -> list[list[str]]:
    return [list(each) for each in found][:LISTED]


def _claims(patterns: Iterable[str], name: str) -> bool:
    return bool(name) and any(fnmatchcase(name, pattern) for pattern in patterns)


def parse(data: bytes, *, source: str = FILE) -> Plan:
    """Return the plan that a file holds; raise `MalformedInput` with what is wrong."""
    match digest.loads(data, source=source):
        case {"format": kind, "production": str() as production, "environments": dict() as found, **rest} if (
            kind == FORMAT and not rest and production in found and len(found) <= MOST_ENVIRONMENTS
        ):
            return Plan(production, {_text(name, source): _patterns(kinds, source) for name, kinds in found.items()})
        case _:
            raise MalformedInput(
                f"format is {FORMAT}, production is one of at most {MOST_ENVIRONMENTS} environments", source=source
            )


def _patterns(kinds: Any, source: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(kinds, dict) or kinds.keys() - _KINDS.keys():
        raise MalformedInput(f"an environment has {', '.join(_KINDS)}, each a list of names", source=source)
    found = {}
    for name, patterns in kinds.items():
        if not isinstance(patterns, list) or len(patterns) > MOST_PATTERNS:
            raise MalformedInput(f"{name} is a list of at most {MOST_PATTERNS} names", source=source)
        found[_KINDS[name]] = tuple(_text(one, source) for one in patterns)
    return found


def _text(value: object, source: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST or not value.isprintable():
        raise MalformedInput(f"a name is 1 to {LONGEST} printable characters", source=source)
    return value
