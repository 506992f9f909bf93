"""What goes between the control side and a loader: nothing but a whole line parses, and nothing else is raised."""

import json

from hypothesis import given
from hypothesis import strategies as st

from ringfence.workloads.engine import frames
from ringfence.workloads.engine.frames import ENGINES, Answer, BadFrame, Header

digests = st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256:{raw.hex()}")
headers = st.builds(
    Header,
    engine=st.sampled_from(sorted(ENGINES)),
    name=st.from_regex(frames.NAME, fullmatch=True),
    size=st.integers(1, frames.LARGEST),
    digest=digests,
    context=st.integers(64, 2**20),
    parallel=st.integers(1, 64),
    threads=st.integers(1, 256),
    embeddings=st.booleans(),
)
loaded = st.builds(
    Answer,
    measured=digests,
    loaded=st.just(True),
    port=st.integers(1, 65_535),
    pid=st.integers(1, 2**22),
    engine=st.sampled_from(sorted(ENGINES)),
    release=st.from_regex(frames.WORD, fullmatch=True),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(headers)
def test_a_header_comes_back(header):
    assert frames.header(frames.line(header)) == header


@given(loaded)
def test_an_answer_comes_back(answer):
    assert frames.answer(frames.line(answer)) == answer


@given(st.binary(max_size=200))
def test_bytes_parse_or_are_refused(data):
    for parse in (frames.header, frames.answer):
        try:
            parse(data)
        except BadFrame:
            continue


@given(headers, st.sampled_from(sorted(Header.__dataclass_fields__)), anything)
def test_a_changed_field_is_the_same_header_or_refused(header, name, value):
    document = json.loads(frames.line(header)) | {name: value}
    try:
        found = frames.header(json.dumps(document).encode() + b"\n")
    except BadFrame:
        return
    assert getattr(found, name) == value


@given(headers, st.integers(0, 300))
def test_a_line_that_was_cut_is_refused(header, place):
    line = frames.line(header)
    try:
        frames.header(line[: min(place, len(line) - 1)])
    except BadFrame:
        return
    raise AssertionError("a part of a line was taken for a line")
