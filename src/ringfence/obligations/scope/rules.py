"""The shipped legal data as frozen values, and the digest that names exactly this edition of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from ringfence.kernel.digest import Digest
from ringfence.obligations.scope.document import shipped

FILES = ("ai_act.yaml", "cra.yaml", "entity_types.yaml", "member_states.yaml", "nis2_2690.yaml", "sectors.yaml")
PARSED = frozenset(FILES) - {"nis2_2690.yaml"}


@dataclass(frozen=True, slots=True)
class EntityType:
    """A type of entity, as the annexes of NIS2 name it, with what the decision rows ask of it."""

    id: str
    annex: str  # I.8, II.5 …; empty where no annex names it
    what: str
    definition: str = ""  # for instance 6(30)
    traits: frozenset[str] = frozenset()
    condition: str = ""  # the key of a service that decides whether it is this type at all

    def has(self, trait: str) -> bool:
        """Say whether the type carries `trait`."""
        return trait in self.traits

    @property
    def refs(self) -> tuple[str, ...]:
        """Return annex and definition, as they stand in a provision."""
        return tuple(part for part in (f"Annex {self.annex}" if self.annex else "", self.definition) if part)


@dataclass(frozen=True, slots=True)
class Activity:
    """What a team does in its own words, and the type it usually is."""

    id: str
    type: EntityType
    what: str


@dataclass(frozen=True, slots=True)
class MemberState:
    """The national act of a Member State, as far as stored sources show it."""

    code: str
    name: str
    act: str
    in_force: date | None
    status: str  # in_force | adopted | bill | unknown
    authority: str
    csirt: str
    portal: str
    source: str
    verified_on: str
    last_known: str


@dataclass(frozen=True, slots=True)
class Rules:
    """One edition of the legal data."""

    digest: Digest
    verified_on: str
    activities: Mapping[str, Activity]
    member_states: Mapping[str, MemberState]
    ai_act: Mapping[str, Any]
    cra: Mapping[str, Any]

    @property
    def types(self) -> frozenset[EntityType]:
        """Return every type that an activity can be."""
        return frozenset(activity.type for activity in self.activities.values())


@cache
def load() -> Rules:
    """Read the shipped data once."""
    folder = resources.files("ringfence.obligations") / "data"
    raw = {name: (folder / name).read_bytes() for name in FILES}
    digest = Digest.of(b"".join(Digest.of(name.encode()).value + Digest.of(raw[name]).value for name in FILES))
    return build(digest, {name: shipped(raw[name]) for name in PARSED})


def build(digest: Digest, parsed: Mapping[str, Any]) -> Rules:
    """Return the edition with this digest, given the values of those of its files that the rules read."""
    types = _types(parsed["entity_types.yaml"], parsed["sectors.yaml"])
    states = parsed["member_states.yaml"]
    return Rules(
        digest=digest,
        verified_on=str(states["meta"]["status_date"]),
        activities=_activities(parsed["entity_types.yaml"], types),
        member_states={row["code"]: _member_state(row) for row in states["member_states"]},
        ai_act=parsed["ai_act.yaml"],
        cra=parsed["cra.yaml"],
    )


def sample(name: str = "sample") -> str:
    """Return the text of a shipped organisation."""
    return (resources.files("ringfence.obligations") / "data" / "samples" / f"{name}.yaml").read_text(encoding="utf-8")


def day(text: str) -> date:
    """Parse a day of the shipped data."""
    return date.fromisoformat(text)


def _types(own: dict[str, Any], sectors: dict[str, Any]) -> dict[str, EntityType]:
    digital = {row["type"]: _digital(row) for row in sectors["ict_types"]}
    types = dict(digital)
    for name, row in own["types"].items():
        twin = digital.get(row.get("same_as", ""))
        traits = frozenset(row.get("traits", ())) | (twin.traits if twin else frozenset())
        definition = twin.definition if twin else ""
        types[name] = EntityType(name, row["annex"] or "", row["what"], definition, traits, row.get("condition", ""))
    return types


# NIS2 3(1)(b): essential whatever the size. Trust services only where qualified, see entity_types.yaml.
_ESSENTIAL_ANY_SIZE = frozenset({"dns_service_provider", "tld_name_registry"})


def _digital(row: dict[str, Any]) -> EntityType:
    name = row["type"]
    traits = {
        "ir_2690": row["ir_2024_2690"],
        "main_establishment": row["main_establishment_rule"],
        "any_size": row.get("any_size", False),
        "essential_any_size": name in _ESSENTIAL_ANY_SIZE,
    }
    definition = row["definition_ref"].split(",")[0].split(":")[0]
    held = frozenset(trait for trait, holds in traits.items() if holds)
    return EntityType(name, row["annex"], name.replace("_", " "), definition, held)


def _activities(own: dict[str, Any], types: dict[str, EntityType]) -> dict[str, Activity]:
    found = {name: Activity(name, kind, kind.what) for name, kind in types.items()}
    for name, row in own["activities"].items():
        found[name] = Activity(name, types[row["type"] or "none_of_these"], row["what"])
    return found


def _member_state(row: dict[str, Any]) -> MemberState:
    return MemberState(
        code=row["code"],
        name=row["name"],
        act=row["national_act"] or row.get("draft", ""),
        in_force=day(row["in_force"]) if row["in_force"] else None,
        status=row["status"],
        authority=row["lead_authority"] or "",
        csirt=row["csirt"] or "",
        portal=row["portal"] or "",
        source=row["source"],
        verified_on=row["verified_on"],
        last_known=row.get("last_known", row.get("status_as_of", "")),
    )
