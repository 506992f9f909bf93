from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.gateway.hotpath.events import EventSplitter, is_last

LINES = st.lists(
    st.binary(min_size=1, max_size=20).map(lambda line: line.replace(b"\n", b"x").replace(b"\r", b"y")), min_size=1
)


@given(st.lists(LINES, max_size=5), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(0, 400), max_size=6))
def test_events_come_whole_and_unchanged_wherever_the_bytes_are_cut(made, ending, cuts):
    events = [ending.join(lines) + 2 * ending for lines in made]
    data = b"".join(events) + b"data: rest"
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    splitter, found = EventSplitter(), []
    for start, end in pairwise(places):
        found += splitter.add(data[start:end])
    assert b"".join(found) + splitter.rest == data
    assert found == events


@pytest.mark.parametrize(
    ("event", "last"),
    [
        (b"data: [DONE]\n\n", True),
        (b"data: [DONE]\r\n\r\n", True),
        (b"data: [DONE] and more\n\n", False),
        (b'data: {"a": "[DONE]"}\n\n', False),
    ],
)
def test_the_event_that_ends_a_stream(event, last):
    assert is_last(event) is last


@pytest.mark.parametrize(
    ("before", "data", "one"),
    [
        (b"", b"data: a\n\n", True),
        (b"", b"data: a\n\ndata: b\n\n", False),
        (b"", b"data: a\n", False),
        (b"", b"data: a\n\n\n", False),
        (b"", b"a", False),
        (b"", b"", False),
        (b"dat", b"a: a\n\n", False),
    ],
)
def test_a_piece_that_is_one_event(before, data, one):
    splitter = EventSplitter()
    splitter.add(before)
    assert splitter.is_one(data) is one
