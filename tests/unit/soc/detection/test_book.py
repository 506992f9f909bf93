"""Open findings."""

import json
from datetime import timedelta

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection.book import EPOCH, MAX_EVIDENCE, Book, micros, moment, restored
from ringfence.soc.detection.correlate import MICROS, Entry
from ringfence.soc.detection.rule import About

ABOUT = About("r", "R", "low", ("T1",))


def entry(at: int) -> Entry:
    return Entry(at * MICROS, 1, "", f"digest-{at}")


def noted(book: Book, at: int, source: str = "s") -> tuple[str, int, int]:
    found, gained = book.note(ABOUT, "n", source, [entry(at)], entry(at))
    return found.id, found.count, gained


def test_opens_extends_and_opens_again() -> None:
    book = Book()
    first, second, third = noted(book, 0), noted(book, 3600), noted(book, 7201)
    assert first[0] == second[0] != third[0]
    assert [first[1:], second[1:], third[1:]] == [(1, 1), (2, 1), (1, 1)]


def test_a_late_event_keeps_the_identifier() -> None:
    book = Book()
    assert noted(book, 100)[0] == noted(book, 50)[0]


def test_bounded() -> None:
    book = Book(limit=2)
    for number in range(5):
        noted(book, 0, str(number))
    assert book.evicted == 3
    for at in range(100):
        found, _gained = book.note(ABOUT, "n", "s", [entry(at)], entry(at))
    assert (found.count, len(found.evidence)) == (100, MAX_EVIDENCE)


def test_restart() -> None:
    book, again = Book(), Book()
    identifier, _count, _gained = noted(book, 0)
    again.restore(json.loads(json.dumps(book.snapshot())))
    assert noted(again, 1)[:2] == (identifier, 2)


@pytest.mark.parametrize("state", [1, [1], [[["a"], 1]]])
def test_what_is_no_snapshot_is_refused(state: object) -> None:
    with pytest.raises(MalformedInput):
        Book().restore(state)


def test_missing_parts_are_named() -> None:
    with pytest.raises(MalformedInput, match="no findings"):
        restored({}, "findings")


def test_times() -> None:
    assert moment(micros(EPOCH + timedelta(days=1, microseconds=3))) == EPOCH + timedelta(days=1, microseconds=3)
