"""Near words: another spelling, another word for it, one letter off; and nothing where nothing is near."""

import pytest

from ringfence.obligations.scope import hints, rules
from ringfence.obligations.scope.hints import meant

SERVICES = rules.load().activities
TOP = ["established_in", "services", "size", "ai_systems", "name"]


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("GPU Cloud", SERVICES, "gpu_cloud"),
        ("gpu-cloud", SERVICES, "gpu_cloud"),
        ("Hospital", SERVICES, "healthcare_provider"),
        ("gpu_clout", SERVICES, "gpu_cloud"),
        ("employees", TOP, "size: {staff: …}"),
        ("employees", ["staff", "turnover"], "staff"),
        ("country", TOP, "established_in"),
        ("don't know", ["none", "unknown"], "unknown"),
        ("hospital", TOP, None),
        ("qqqq", SERVICES, None),
        ("", SERVICES, None),
    ],
)
def test_meant(word, known, expected):
    assert meant(word, known) == expected


def test_no_hint_is_itself_a_word_that_is_refused():
    law = rules.load()
    words = {*SERVICES, *law.ai_act["activities"], *law.ai_act["purposes"], *law.cra["core_functions"]}
    words |= {*law.cra["roles"], *law.cra["exclusions"], "linked", "unknown"}
    keys = {"established_in", "main_establishment", "undertaking_turnover_worldwide", "services", "activities"}
    keys |= {"ai_systems", "purposes", "annex_i_product", "product_or_safety_component", "training_compute"}
    keys |= {"core_function", "cer_critical_entity", "capital_percent", "votes_percent"}
    unknown = {word for word in hints.MEANT.values() if not word.startswith("size: {")} - words - keys
    assert unknown == set()


def test_a_refusal_names_the_nearest_first_and_then_all():
    assert hints.refusal("recruitment", ["employment", "other"]) == (
        "'recruitment' (did you mean employment?) is none of: employment, other"
    )
    assert hints.refusal("x" * 99, ["a"]) == f"'{'x' * 60}' is none of: a"
