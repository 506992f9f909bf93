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
