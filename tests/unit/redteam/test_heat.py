from ringfence.redteam.heat import WIDTH, cell

FOUND = {"planned": 50, "valid": 50, "successes": 0, "cases": 50, "attacks": 9, "asrPpm": 0, "lowerPpm": 0,
         "upperPpm": 71_348, "verdict": "inconclusive", "label": "smoke"}  # fmt: skip


def test_a_cell_is_a_bound_with_its_interval():
    shown = cell(FOUND)
    assert shown.bound == "ASR \u2264 7.13 %"
    assert shown.note == "95 %, n=50; 50 of 50 valid, smoke"
    assert (shown.low, shown.rate) == (0, 0)
    assert 0 < shown.high < WIDTH


def test_inconclusive_is_seen_as_such():
    shown = cell(FOUND)
    assert (shown.word, shown.mark, shown.shade) == ("inconclusive", "pending", -1)


def test_nothing_valid_bounds_nothing():
    shown = cell({**{k: v for k, v in FOUND.items() if k != "asrPpm"}, "valid": 0, "cases": 0, "upperPpm": 10**6})
    assert (shown.bound, shown.rate) == ("no bound", None)


def test_a_failed_family_shows_what_its_rate_is_at_least():
    shown = cell(FOUND | {"verdict": "fail", "lowerPpm": 912_400, "upperPpm": 10**6, "asrPpm": 10**6})
    assert shown.bound == "ASR \u2265 91.24 %"
    assert (shown.mark, shown.shade) == ("not-satisfied", 4)
