from datetime import timedelta

import pytest

from ringfence.kernel.identifier import KeyId
from ringfence.ledger.explorer.model import Gap, Query, Reach, Window, Windows
from ringfence.testing.clock import START

KEY = KeyId("a" * 64)


@pytest.mark.parametrize(
    "asked",
    [{"subject": "a"}, {"since": START}, {"until": START}, {"actor": "root"}, {"standing": "x"}, {"demo": False}],
)
def test_whatever_the_list_cannot_answer_is_narrowed(asked) -> None:
    assert Query(**asked).narrowed
    assert not Query(before=3, at=START).narrowed


def test_a_window_holds_its_first_moment_and_not_its_last() -> None:
    windows = Windows((Window(KEY, START, START + timedelta(1)),))
    held = [windows.holds(KEY, START + timedelta(days), 0) for days in (-1, 0, 1)]
    assert held == [False, True, False]
    assert not windows.holds(KeyId("b" * 64), START, 0)
    assert Windows(windows.windows, outside=True).holds(KeyId("b" * 64), START, 0)


def test_a_window_of_a_compromise_is_one_of_entries_too() -> None:
    window = Window(KEY, START, START + timedelta(1), least=3, below=5)
    assert [window.holds(KEY, START, entry) for entry in (2, 3, 4, 5)] == [False, True, True, False]


def test_a_gap_of_one_is_one_number() -> None:
    assert [str(Gap(4, 4)), str(Gap(4, 6))] == ["4", "4 to 6"]


def test_an_index_that_lacks_the_newest_entry_is_behind() -> None:
    assert Reach(4, 5).behind
    assert not Reach(5, 5).behind
