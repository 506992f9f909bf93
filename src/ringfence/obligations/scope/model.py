"""An organisation as it describes itself. `None` always means *unknown*: it is never a default."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from ringfence.obligations.scope.rules import Activity


class Relation(StrEnum):
    """How another enterprise stands to this one (2003/361/EC Annex Art 3)."""

    LINKED = "linked"
    PARTNER = "partner"
    AUTONOMOUS = "autonomous"


class Earlier(StrEnum):
    """What can be said of earlier accounting periods in a word."""

    SAME_CLASS = "same_class"
    NEW_ENTERPRISE = "new_enterprise"
    TAKE_OVER = "take_over"


class Exclusion(StrEnum):
    """Grounds that take an entity out of NIS2."""

    NONE = "none"
    PUBLIC_SECURITY = "public_security"
    MEMBER_STATE_EXEMPTION = "member_state_exemption"
    DORA_EXEMPTION = "dora_exemption"


class Identified(StrEnum):
    """What a Member State decided about the entity under NIS2 2(2)(b)-(e)."""

    NONE = "none"
    ESSENTIAL = "essential"
    IMPORTANT = "important"


class PersonalData(StrEnum):
    """Which personal data an organisation processes; special categories are those of GDPR 9."""

    NONE = "none"
    ORDINARY = "ordinary"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class Figures:
    """Staff in annual work units, turnover and balance sheet total in euros, of one period."""

    staff: Fraction | None
    turnover: int | None
    balance: int | None


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A linked or partner enterprise, with its consolidated figures."""

    relation: Relation | None
    capital_percent: Fraction | None
    votes_percent: Fraction | None
    exempt_investor: bool | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class Size:
    """Everything that decides the size class."""

    figures: Figures
    earlier: Earlier | tuple[Figures, ...] | None  # newest first
    enterprises: tuple[Enterprise, ...] | None
    small_mid_cap: bool | None


@dataclass(frozen=True, slots=True)
class Service:
    """One thing the organisation does, with the answers on which its type depends."""

    activity: Activity
    holds: bool | None = True  # whether the type's own condition is met
    qualified: bool | None = False  # trust services only


@dataclass(frozen=True, slots=True)
class Designations:
    """What an authority has decided about the entity."""

    cer_critical_entity: bool | None
    identified: Identified | None
    former_operator_of_essential_services: bool | None
    exclusion: Exclusion | None


@dataclass(frozen=True, slots=True)
class Establishment:
    """Where the organisation is and serves; codes of ISO 3166."""

    countries: tuple[str, ...] | None
    serves: tuple[str, ...] | None
    risk_decisions: str | None  # a code, or `undeterminable`
    security_operations: str | None
    most_employees: str | None
    representative: str | None  # a code, or `none`


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer, as far as a supplier can know it."""

    name: str
    country: str | None
    services: tuple[Service, ...] | None
    figures: Figures
    serves_union: bool | None  # matters where its country is outside the Union
    designated_critical: bool | None
    direct: bool | None
    personal_data: bool | None
    high_risk_ai_provider: bool | None


@dataclass(frozen=True, slots=True)
class AiSystem:
    """One AI system or model, with what the organisation does with it."""

    name: str
    kind: str | None  # system | model
    activities: tuple[str, ...] | None
    purposes: tuple[str, ...] | None
    union_link: bool | None
    research_only: bool | None
    open_source: bool | None
    product_section: str | None  # none | a | b: Annex I
    safety_component: bool | None
    third_party_assessment: bool | None
    narrow_task: bool | None
    profiling: bool | None
    placed_on: date | str | None  # a day, or `not_yet`
    general_purpose: bool | None
    generative: bool | None
    training_compute: Fraction | None
    compute_estimated: bool | None
    high_impact: bool | None
    modification_compute: Fraction | None
    original_compute: Fraction | None


@dataclass(frozen=True, slots=True)
class Product:
    """One product, for the Cyber Resilience Act."""

    name: str
    role: str | None
    digital_elements: bool | None
    commercial: bool | None
    core_function: str | None
    excluded_as: str | None
    open_source: bool | None
    placed_on: date | str | None


@dataclass(frozen=True, slots=True)
class Organisation:
    """The whole description."""

    name: str
    establishment: Establishment
    size: Size
    services: tuple[Service, ...] | None
    designations: Designations
    undertaking_turnover: int | None  # worldwide, of the undertaking to which the entity belongs; fines only
    personal_data: PersonalData | None  # what it processes itself, for whomever
    customers: tuple[Customer, ...] | None
    ai_systems: tuple[AiSystem, ...] | None
    products: tuple[Product, ...] | None
