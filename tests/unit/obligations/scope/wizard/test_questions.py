"""At most ten questions about the organisation, five about a system, four about a product, three about customers."""

import pytest

from ringfence.obligations.scope import rules
from ringfence.obligations.scope.wizard import about_systems, questions
from ringfence.obligations.scope.wizard.model import UNKNOWN, Kind

EVERY = [
    *questions.entity(),
    *questions.further().values(),
    *questions.customer(),
    *questions.enterprise(),
    *about_systems.system(),
    *about_systems.deeper().values(),
    *about_systems.product(),
]


def test_how_many_are_asked():
    numbers = [one.number for one in (*questions.entity(), *questions.further().values()) if one.number]
    assert sorted(numbers) == list(range(1, 11))
    assert (len(about_systems.system()), len(about_systems.product()), len(questions.customer())) == (5, 4, 3)


def test_at_most_fourteen_fields_are_typed():
    typed = [one for one in (*questions.entity(), *about_systems.system()) if not one.options]
    assert [one.name for one in typed] == ["name", "staff", "turnover", "balance", "worldwide", "name"]


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_each_can_be_left_open_and_says_why_it_is_asked(one):
    assert one.why
    assert not one.options or UNKNOWN in {option.value for option in one.options}
    assert bool(one.options) == (one.kind in (Kind.CHOICE, Kind.TICKS))
    assert len({option.value for option in one.options}) == len(one.options)


def test_every_word_is_one_of_the_format():
    law = rules.load()
    services = next(one for one in questions.entity() if one.name == "services")
    sectors = next(one for one in questions.entity() if one.name == "sector")
    words = {option.value for option in (*services.options, *sectors.options)} - {UNKNOWN, questions.NONE}
    assert words <= set(law.activities)
    assert {one.type.id for one in law.activities.values()} - words <= {
        "cloud_computing_service_provider",  # what an AI team provides leads to these
        "managed_service_provider",
        "qualified_trust_service_provider",  # a condition of trust_service_provider
    }
    shown = {option.value for option in about_systems.purposes()}
    assert set(law.ai_act["purposes"]) <= shown


def test_inputs_are_named_in_words():
    assert questions.named("size.earlier_periods") == "the accounting periods before"
    assert questions.named("union_link") == "union link"
    assert set(questions.titles()) >= {"staff", "earlier"}
