from ringfence.redteam.model import COUNTED, Canary, Outcome


def test_a_canary_counts_in_its_joined_form():
    assert Canary("bada", "gufo").whole == "badagufo"


def test_only_successes_and_resistance_count():
    assert {outcome for outcome in Outcome if outcome in COUNTED} == {Outcome.SUCCESS, Outcome.RESISTED}
