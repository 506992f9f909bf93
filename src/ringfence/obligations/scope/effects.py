"""What another answer would change: the same decision, made again for each. Sound for gaps: nothing is guessed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache

from ringfence.obligations.scope import rules
from ringfence.obligations.scope.classify import classify
from ringfence.obligations.scope.difference import headline
from ringfence.obligations.scope.jurisdiction import in_force
from ringfence.obligations.scope.model import (
    Customer,
    Designations,
    Earlier,
    Exclusion,
    Figures,
    Identified,
    Organisation,
    PersonalData,
    Service,
)

Patch = Callable[[Organisation], Organisation]
_M = 1_000_000


@dataclass(frozen=True, slots=True)
class Effect:
    """What would be said with another answer."""

    answer: str
    changes: tuple[str, ...]


@lru_cache(maxsize=64)  # a page that recomputes while somebody types asks the same again and again
def of(organisation: Organisation, on: date) -> Mapping[str, tuple[Effect, ...]]:
    """Return by input the answers that would change something, and what."""
    bare = replace(organisation, ai_systems=(), products=())  # they change nothing of what is compared
    return {name: tuple(_effects(bare, name, patches, on)) for name, patches in alternatives(on).items()}


def _effects(organisation: Organisation, name: str, patches: Mapping[str, Patch], on: date) -> Iterator[Effect]:
    if name != "customers":
        organisation = replace(organisation, customers=())
    if name != "earlier" and organisation.size.earlier is None:
        # Else no size would be one for sure, and no answer would show an effect.
        organisation = replace(organisation, size=replace(organisation.size, earlier=Earlier.SAME_CLASS))
    now = headline(classify(organisation, on))
    for answer, patch in patches.items():
        then = headline(classify(patch(organisation), on))
        changes = tuple(f"{subject}: {said}" for subject, said in then.items() if now[subject] != said)
        if changes:
            yield Effect(answer, changes)


def alternatives(on: date) -> Mapping[str, Mapping[str, Patch]]:
    """Return for each input an answer of every kind that matters."""
    return {
        "country": _elsewhere(on),
        "services": {
            "hosted inference": _services("hosted_inference_api"),
            "licences only": _services("model_licence_only"),
        },
        "staff": {words: _figures(staff=Fraction(staff)) for words, staff in _STAFF.items()},
        "group": {
            "yes, with figures unknown": _size(enterprises=None),
            "no": _size(enterprises=()),
        },
        "turnover": {words: _figures(turnover=one, balance=two) for words, (one, two) in _MONEY.items()},
        "sector": {
            "a type of Annex I, a hospital for instance": _also("healthcare_provider"),
            "a type of Annex II, a machine maker for instance": _also("machinery_manufacturer"),
            "a bank": _also("credit_institution"),
        },
        "customers": {
            "none": lambda one: replace(one, customers=()),
            "a large hospital": _customer("healthcare_provider"),
            "a financial entity": _customer("other_financial_entity_under_dora"),
        },
        "personal_data": {
            "none": lambda one: replace(one, personal_data=PersonalData.NONE),
            "some": lambda one: replace(one, personal_data=PersonalData.ORDINARY),
        },
        "designated": {words: _designated(given) for words, given in _DESIGNATED.items()},
        "earlier": {
            "yes, or a new enterprise": _size(earlier=Earlier.SAME_CLASS),
            "no, and not taken over": _size(earlier=None),
        },
    }


_STAFF = {"fewer than 10": 9, "10 to 49": 49, "50 to 249": 50, "250 or more": 250}
_MONEY = {
    "both up to 2 million": (0, 0),
    "both up to 10 million": (10 * _M, 10 * _M),
    "both above 10 million": (10 * _M + 1, 10 * _M + 1),
    "above 50, and balance above 43 million": (50 * _M + 1, 43 * _M + 1),
}
_NOT = Designations(False, Identified.NONE, False, Exclusion.NONE)  # noqa: FBT003
_DESIGNATED = {
    "no": _NOT,
    "identified as important": replace(_NOT, identified=Identified.IMPORTANT),
    "critical, or identified as essential": replace(_NOT, cer_critical_entity=True),
    "exempt from DORA": replace(_NOT, exclusion=Exclusion.DORA_EXEMPTION),
}


def _size(**changes: object) -> Patch:
    return lambda one: replace(one, size=replace(one.size, **changes))  # type: ignore[arg-type]


def _figures(**changes: object) -> Patch:
    def patched(one: Organisation) -> Organisation:
        figures = replace(one.size.figures, **changes)  # type: ignore[arg-type]
        return replace(one, size=replace(one.size, figures=figures))

    return patched


def _services(word: str) -> Patch:
    return lambda one: replace(one, services=(Service(rules.load().activities[word]),))


def _also(word: str) -> Patch:
    return lambda one: replace(one, services=(*(one.services or ()), Service(rules.load().activities[word])))


def _designated(given: Designations) -> Patch:
    return lambda one: replace(one, designations=given)


def _customer(word: str) -> Patch:
    services = (Service(rules.load().activities[word]),)
    figures = Figures(Fraction(250), 0, 0)
    made = Customer(
        name="a customer",
        country=None,
        services=services,
        figures=figures,
        serves_union=True,
        designated_critical=False,
        direct=True,
        personal_data=False,
        high_risk_ai_provider=False,
    )
    return lambda one: replace(one, customers=(replace(made, country=_country(one)),))


def _country(organisation: Organisation) -> str | None:
    return next(iter(organisation.establishment.countries or ()), None)


def _elsewhere(on: date) -> dict[str, Patch]:
    """Return a Member State of each kind, and a country outside the Union."""
    states = rules.load().member_states
    kinds: dict[bool | None, str] = {}
    for code, state in sorted(states.items()):
        kinds.setdefault(in_force(state, on), code)
    words = {True: "the national act in force", False: "no national act in force", None: "an act of unknown fate"}
    found = {f"{words[kind]}, as in {states[code].name}": _moved(code) for kind, code in kinds.items()}
    return found | {"outside the Union, as in the United States": _moved("US")}


def _moved(code: str) -> Patch:
    def patched(one: Organisation) -> Organisation:
        where = replace(one.establishment, countries=(code,), risk_decisions=None, security_operations=None)
        return replace(one, establishment=replace(where, most_employees=None))

    return patched
