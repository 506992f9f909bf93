from ringfence.ledger.explorer.model import Gap
from ringfence.ledger.explorer.sequences import MAX_GAPS, series


def test_a_whole_sequence_has_no_gap() -> None:
    assert series(3, 1, 3, []).whole


def test_what_is_missing_is_named_the_beginning_included() -> None:
    found = series(3, 2, 9, [(3, 5), (5, 9)])
    assert found.gaps == (Gap(1, 1), Gap(4, 4), Gap(6, 8))
    assert [str(gap) for gap in found.gaps] == ["1", "4", "6 to 8"]


def test_a_sequence_may_begin_elsewhere() -> None:
    assert series(2, 8, 9, [], start=8).whole
    assert not series(2, 8, 9, [], start=7).whole


def test_a_few_gaps_are_listed_and_more_are_said() -> None:
    jumps = [(number, number + 2) for number in range(1, 2 * MAX_GAPS + 3, 2)]
    found = series(len(jumps), 1, jumps[-1][1], jumps)
    assert (len(found.gaps), found.more_gaps) == (MAX_GAPS, True)
