"""The category of an entity under NIS2 Art 3: the decision rows in their order, the first match wins."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ringfence.obligations.scope.model import Exclusion, Identified
from ringfence.obligations.scope.rules import EntityType
from ringfence.obligations.scope.size import SizeClass

TRUST_SERVICES = frozenset({"trust_service_provider", "qualified_trust_service_provider"})


class Category(StrEnum):
    """What NIS2 makes of an entity."""

    OUT_OF_SCOPE = "out_of_scope"
    REGISTRATION_ONLY = "registration_only"
    IMPORTANT = "important"
    ESSENTIAL = "essential"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything on which the category depends, with nothing unknown."""

    types: frozenset[EntityType]
    size: SizeClass
    cer_critical: bool
    identified: Identified
    former_operator: bool
    exclusion: Exclusion
    in_union: bool

    def has(self, trait: str) -> bool:
        """Say whether one of the types carries `trait`."""
        return any(kind.has(trait) for kind in self.types)

    def under(self, *annexes: str) -> bool:
        """Say whether a type is named by one of `annexes` (I or II)."""
        return any(kind.annex.split(".")[0] in annexes for kind in self.types)

    @property
    def under_dora(self) -> bool:
        """Say whether DORA addresses the entity: not outside the Union, and not where it is exempted (2(10))."""
        return self.in_union and self.has("dora") and self.exclusion is not Exclusion.DORA_EXEMPTION

    @property
    def excluded(self) -> bool:
        """Say whether Art 2(7), (8) or (10) takes the entity out; trust services stay in (2(9))."""
        if self.exclusion in (Exclusion.PUBLIC_SECURITY, Exclusion.MEMBER_STATE_EXEMPTION):
            return not any(kind.id in TRUST_SERVICES for kind in self.types)
        return self.exclusion is Exclusion.DORA_EXEMPTION


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the decision table."""

    order: str
    test: Callable[[Facts], bool]
    category: Category
    ref: str
    because: str


_MEDIUM, _LARGE = SizeClass.MEDIUM, SizeClass.LARGE
_EXCLUSIONS = {
    Exclusion.PUBLIC_SECURITY: "2(7)",
    Exclusion.MEMBER_STATE_EXEMPTION: "2(8)",
    Exclusion.DORA_EXEMPTION: "2(10)",
}
_BY_NATIONAL_ACT = "brought in by its Member State; the national act says in which category"


def _excluded_by(ground: Exclusion) -> Callable[[Facts], bool]:
    return lambda facts: facts.excluded and facts.exclusion is ground


ROWS = (
    *(
        Row("0a", _excluded_by(ground), Category.OUT_OF_SCOPE, ref, "an exclusion of Art 2 applies")
        for ground, ref in _EXCLUSIONS.items()
    ),
    Row("0b", lambda f: not f.in_union, Category.OUT_OF_SCOPE, "2(1)", "neither established in nor serving the Union"),
    Row("1", lambda f: f.cer_critical, Category.ESSENTIAL, "3(1)(f)", "critical entity under Directive (EU) 2022/2557"),
    Row(
        "2",
        lambda f: f.has("essential_any_size"),
        Category.ESSENTIAL,
        "3(1)(b)",
        "qualified trust services, TLD registry or DNS services, whatever the size",
    ),
    Row("3", lambda f: f.has("central_government"), Category.ESSENTIAL, "3(1)(d)", "central government"),
    Row(
        "4",
        lambda f: f.identified is Identified.ESSENTIAL,
        Category.ESSENTIAL,
        "3(1)(e)",
        "a Member State identified it as essential under 2(2)(b)-(e)",
    ),
    Row(
        "4a",
        lambda f: f.former_operator,
        Category.ESSENTIAL,
        "3(1)(g)",
        "an operator of essential services before 2023-01-16 that its Member State keeps as essential",
    ),
    Row("4b", lambda f: f.has("held_essential"), Category.ESSENTIAL, "2(5)(a), 3(1)", _BY_NATIONAL_ACT),
    Row(
        "5",
        lambda f: f.under("I") and f.size >= _LARGE,
        Category.ESSENTIAL,
        "3(1)(a)",
        "a type of Annex I that exceeds the ceilings for medium-sized enterprises",
    ),
    Row(
        "6",
        lambda f: f.has("telecom") and f.size >= _MEDIUM,
        Category.ESSENTIAL,
        "3(1)(c)",
        "public electronic communications, at least medium-sized",
    ),
    Row(
        "7",
        lambda f: (
            f.under("I", "II") and (f.size >= _MEDIUM or f.has("any_size") or f.identified is Identified.IMPORTANT)
        ),
        Category.IMPORTANT,
        "3(2)",
        "a type of Annex I or II in scope that no rule makes essential",
    ),
    Row(
        "7a",
        lambda f: f.identified is Identified.IMPORTANT,
        Category.IMPORTANT,
        "2(2)(b)-(e), 3(2)",
        "a Member State identified it as important",
    ),
    Row("7b", lambda f: f.has("category_by_national_act"), Category.IMPORTANT, "2(5)(a), 3(2)", _BY_NATIONAL_ACT),
    Row("9", lambda f: f.has("registration"), Category.REGISTRATION_ONLY, "2(4)", "domain name registration services"),
    Row(
        "8",
        lambda f: f.under("I", "II"),
        Category.OUT_OF_SCOPE,
        "2(1)",
        "a type of Annex I or II, but micro or small and without a ground that disregards the size",
    ),
    Row("10", lambda _: True, Category.OUT_OF_SCOPE, "2(1)", "no type of Annex I or II"),
)
# Row 9 stands before row 8: 2(4) is itself a ground that disregards the size, so that a small hoster that also
# registers names keeps the registration duties.


def decide(facts: Facts) -> Row:
    """Return the first row that matches."""
    return next(row for row in ROWS if row.test(facts))


def binds_2690(facts: Facts) -> bool:
    """Say whether Implementing Regulation (EU) 2024/2690 concerns the entity (its Art 1), national acts aside."""
    in_scope = decide(facts).category in (Category.ESSENTIAL, Category.IMPORTANT)
    return in_scope and facts.has("ir_2690") and not facts.under_dora


def relevant(facts: Facts) -> tuple[EntityType, ...]:
    """Return the types that carry the row's decision, for the provision."""
    row = decide(facts)
    chosen = _CARRIES.get(row.order, _annexed)
    return tuple(sorted((kind for kind in facts.types if chosen(kind)), key=lambda kind: (kind.annex, kind.id)))


def _annexed(kind: EntityType) -> bool:
    return bool(kind.annex)


_CARRIES: dict[str, Callable[[EntityType], bool]] = {
    "2": lambda kind: kind.has("essential_any_size"),
    "3": lambda kind: kind.has("central_government"),
    "5": lambda kind: kind.annex.startswith("I."),
    "6": lambda kind: kind.has("telecom"),
}


_WITHOUT_TYPE = frozenset({"0a", "0b", "1", "4", "4a", "4b", "7a", "7b", "9", "10"})


def provision(facts: Facts) -> str:
    """Return the provision with annex and definition, for instance `NIS2 3(2), Annex I.8, 6(30)`."""
    row = decide(facts)
    refs = [] if row.order in _WITHOUT_TYPE else [ref for kind in relevant(facts) for ref in kind.refs]
    return ", ".join(dict.fromkeys([f"NIS2 {row.ref}", *refs]))
