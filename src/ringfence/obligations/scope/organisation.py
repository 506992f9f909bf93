"""Parse an organisation file. The published schema is `obligations/data/organisation.schema.json`."""

from typing import TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode

from ringfence.obligations.scope import document, fields, hints, rules
from ringfence.obligations.scope.countries import COUNTRIES
from ringfence.obligations.scope.fields import Fields
from ringfence.obligations.scope.model import (
    AiSystem,
    Customer,
    Designations,
    Earlier,
    Enterprise,
    Establishment,
    Exclusion,
    Figures,
    Identified,
    Organisation,
    PersonalData,
    Product,
    Relation,
    Service,
    Size,
)
from ringfence.obligations.scope.system import read_system

Named = TypeVar("Named", AiSystem, Product)

MAX_EARLIER = 3  # with two that agree the older ones no longer matter
UNDETERMINABLE = "undeterminable"
NO_REPRESENTATIVE = "none"
UNDESIGNATED = "none"
NOTHING_DESIGNATED = Designations(
    cer_critical_entity=False,
    identified=Identified.NONE,
    former_operator_of_essential_services=False,
    exclusion=Exclusion.NONE,
)
QUALIFIABLE = "trust_service_provider"


def parse(data: bytes, *, source: str = "") -> Organisation:
    """Parse an organisation in YAML or JSON; raise `MalformedInput` with file, line and column."""
    return fields.read_whole(Fields.of(document.compose(data, source=source), source), _organisation)


def _organisation(top: Fields) -> Organisation:
    word = top.choice("personal_data", list(PersonalData))
    personal_data = None if word is None else PersonalData(word)
    return Organisation(
        name=top.name(),
        establishment=_establishment(top),
        size=top.inner("size", _size) or Size(Figures(None, None, None), None, None, None),
        services=_services(top),
        designations=_designations(top),
        undertaking_turnover=top.money("undertaking_turnover_worldwide"),
        personal_data=personal_data,
        customers=top.each("customers", lambda one: _customer(one, personal_data)),
        ai_systems=_distinct(top, "ai_systems", top.each("ai_systems", read_system)),
        products=_distinct(top, "products", top.each("products", _product)),
    )


def _distinct(top: Fields, key: str, found: tuple[Named, ...] | None) -> tuple[Named, ...] | None:
    """Refuse a name that stands twice: an answer, and what is signed about one, is known by it."""
    names = [one.name for one in found or ()]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise top.error(key, f"the name {name[:60]!r} stands twice; give each entry a name of its own")
    return found


def _establishment(top: Fields) -> Establishment:
    countries = top.countries("established_in", COUNTRIES)
    found = top.inner("main_establishment", lambda place: _places(place, countries)) or (None, None, None)
    return Establishment(
        countries=countries,
        serves=top.countries("serves", COUNTRIES),
        risk_decisions=found[0],
        security_operations=found[1],
        most_employees=found[2],
        representative=_representative(top),
    )


def _representative(top: Fields) -> str | None:
    code = _country_or(top, "representative", NO_REPRESENTATIVE)
    if code not in (None, NO_REPRESENTATIVE) and code not in rules.load().member_states:
        raise top.error("representative", f"{code} is no Member State; a representative is in one (NIS2 26(3))")
    return code


def _places(place: Fields, countries: tuple[str, ...] | None) -> tuple[str | None, str | None, str | None]:
    return (
        _place(place, "risk_decisions", countries),
        _place(place, "security_operations", countries),
        _place(place, "most_employees", countries),
    )


def _place(place: Fields, key: str, countries: tuple[str, ...] | None) -> str | None:
    code = _country_or(place, key, UNDETERMINABLE)
    if code not in (None, UNDETERMINABLE) and countries is not None and code not in countries:
        raise place.error(key, f"{code} is not among established_in")
    return code


def _country_or(top: Fields, key: str, word: str) -> str | None:
    return word if top.scalar(key) == word else top.country(key, COUNTRIES)


def _figures(top: Fields) -> Figures:
    return Figures(top.number("staff"), top.money("turnover"), top.money("balance"))


def _size(size: Fields) -> Size:
    return Size(
        figures=_figures(size),
        earlier=_earlier(size),
        enterprises=size.each("group", _enterprise),
        small_mid_cap=size.truth("small_mid_cap"),
    )


def _earlier(size: Fields) -> Earlier | tuple[Figures, ...] | None:
    node = size.get("earlier_periods")
    if node is None or isinstance(node, ScalarNode):
        word = size.choice("earlier_periods", list(Earlier))
        return None if word is None else Earlier(word)
    periods = size.each("earlier_periods", _figures) or ()
    if not 1 <= len(periods) <= MAX_EARLIER:
        raise size.error("earlier_periods", f"1 to {MAX_EARLIER} periods, newest first, or one of the words")
    return periods


def _enterprise(one: Fields) -> Enterprise:
    one.text("name")
    word = one.choice("relation", list(Relation))
    found = Enterprise(
        relation=None if word is None else Relation(word),
        capital_percent=one.percent("capital_percent"),
        votes_percent=one.percent("votes_percent"),
        exempt_investor=one.truth("exempt_investor"),
        figures=_figures(one),
    )
    _refuse_contradiction(one, found)
    return found


def _refuse_contradiction(one: Fields, found: Enterprise) -> None:
    capital, votes = found.capital_percent, found.votes_percent
    if votes is not None and votes > 50 and found.relation not in (None, Relation.LINKED):
        raise one.error("relation", "more than half of the votes makes an enterprise linked")
    shares = [share for share in (capital, votes) if share is not None]
    if found.relation is Relation.PARTNER and len(shares) == 2 and max(shares) < 25:
        raise one.error(
            "relation", "a partner holds, or is held by, 25 % or more of capital or votes; less is autonomous"
        )
    if found.relation is Relation.AUTONOMOUS and found.exempt_investor is not True and any(s >= 25 for s in shares):
        raise one.error("relation", "25 % or more of capital or votes is not autonomous, save for exempt_investor: yes")


def _services(top: Fields) -> tuple[Service, ...] | None:
    nodes = top.items("services")
    if nodes is None:
        return None
    return tuple(_service(node, top, f"{top.where('services')}[{index}]") for index, node in enumerate(nodes))


def _service(node: Node, top: Fields, path: str) -> Service:
    if isinstance(node, MappingNode):
        return fields.read_whole(Fields.of(node, top.source, path), _described)
    activities = rules.load().activities
    word = node.value if isinstance(node, ScalarNode) else ""
    if word not in activities:
        raise document.at(node, f"{path}: {str(word)[:60]!r} is no known service{_nearby(word)}", top.source)
    activity = activities[word]
    unmet = None if activity.type.condition else True
    return Service(activity, holds=unmet, qualified=None if word == QUALIFIABLE else False)


def _nearby(word: str) -> str:
    unlike = "; none_of_these is one, docs/reference/scope.md lists all"
    return hints.question(word, rules.load().activities) or unlike


def _described(one: Fields) -> Service:
    word = one.choice("type", rules.load().activities)
    if word is None:
        raise one.error("type", "a service needs its type; say none_of_these, or leave `services` unknown")
    activity = rules.load().activities[word]
    condition = activity.type.condition
    return Service(
        activity,
        holds=one.truth(condition) if condition else True,
        qualified=one.truth("qualified") if word == QUALIFIABLE else False,
    )


def _designations(top: Fields) -> Designations:
    """Read what authorities wrote: each key, or `none` where nobody wrote anything."""
    node = top.get("designations")
    if isinstance(node, ScalarNode) and node.value == UNDESIGNATED:
        return NOTHING_DESIGNATED
    return top.inner("designations", _designated) or Designations(None, None, None, None)


def _designated(top: Fields) -> Designations:
    identified = top.choice("identified_by_member_state", list(Identified))
    exclusion = top.choice("exclusion", list(Exclusion))
    return Designations(
        cer_critical_entity=top.truth("cer_critical_entity"),
        identified=None if identified is None else Identified(identified),
        former_operator_of_essential_services=top.truth("former_operator_of_essential_services"),
        exclusion=None if exclusion is None else Exclusion(exclusion),
    )


def _customer(one: Fields, own: PersonalData | None) -> Customer:
    personal = one.truth("personal_data")
    if own is PersonalData.NONE:  # whoever processes none at all does so for no customer either
        if personal:
            raise one.error("personal_data", "yes contradicts the organisation's own personal_data: none")
        personal = False
    return Customer(
        name=one.name(),
        country=one.country("country", COUNTRIES),
        services=_services(one),
        figures=_figures(one),
        serves_union=one.truth("serves_union"),
        designated_critical=one.truth("designated_critical"),
        direct=one.truth("direct"),
        personal_data=personal,
        high_risk_ai_provider=one.truth("high_risk_ai_provider"),
    )


def _product(one: Fields) -> Product:
    law = rules.load().cra
    return Product(
        name=one.name(),
        role=one.choice("role", law["roles"]),
        digital_elements=one.truth("digital_elements"),
        commercial=one.truth("commercial"),
        core_function=one.choice("core_function", law["core_functions"]),
        excluded_as=one.choice("excluded_as", ["none", *law["exclusions"]]),
        open_source=one.truth("open_source"),
        placed_on=fields.day_or(one, "placed_on_market", "not_yet"),
    )
