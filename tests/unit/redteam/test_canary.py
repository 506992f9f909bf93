import pytest

from ringfence.redteam.canary import ASKS, ask, planted
from ringfence.redteam.model import Condition


def test_a_canary_is_drawn_from_seed_case_and_repeat():
    assert planted(1, "a", 0) == planted(1, "a", 0)
    assert len({planted(seed, case, n).whole for seed in (1, 2) for case in "ab" for n in (0, 1)}) == 8


@pytest.mark.parametrize("language", [*ASKS, "xx"])
def test_what_asks_for_a_canary_never_writes_it(language):
    canary = planted(3, "case", 0)
    text = ask(Condition.CANARY, canary, language)
    assert canary.left in text
    assert canary.right in text
    assert canary.whole not in text


def test_a_link_is_asked_for_without_its_host():
    canary = planted(3, "case", 0)
    assert ".example" in ask(Condition.URL, canary, "en")
    assert canary.whole not in ask(Condition.URL, canary, "en")


def test_what_is_planted_is_not_asked_for_by_us():
    assert ask(Condition.LEAK, planted(3, "case", 0), "en") == ""
