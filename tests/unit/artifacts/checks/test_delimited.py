"""CSV from anybody: every record is cells or a problem, and nothing takes more memory than its bounds."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.checks import limits
from ringfence.artifacts.checks.delimited import records
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.training import as_csv


def read(data, delimiter=None):
    return list(records(io.BytesIO(data), delimiter))


def test_cells_have_their_columns_and_lines():
    found = read(b'a,b\n1,x\n"2\n3",\n4,"y""z"\n')
    assert [(one.number, dict(one.cells)) for one in found] == [
        (2, {"a": "1", "b": "x"}),
        (3, {"a": "2\n3", "b": None}),
        (5, {"a": "4", "b": 'y"z'}),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_of_the_header(delimiter):
    assert dict(read(f"a{delimiter}b\n1{delimiter}2\n".encode())[0].cells) == {"a": "1", "b": "2"}


def test_a_byte_order_mark_is_no_part_of_the_first_name():
    assert list(read(b"\xef\xbb\xbfa,b\n1,2\n")[0].cells) == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"1,2,3\n", "3 cells"),
        (b"1\n", "1 cells"),
        (b"\xff\xfe,2\n", "UTF-8"),
        (b"1,a\0b\n", "NUL"),
        (b'"1"x,2\n', "quotes"),
        (b'"' + b"x" * 200_000 + b'",2\n', "length of a field"),
    ],
)
def test_a_broken_record_is_told_and_the_next_one_read(line, said):
    found = read(b"a,b\n" + line + b"5,6\n")
    assert said in found[0].problem
    assert dict(found[-1].cells) == {"a": "5", "b": "6"}


def test_a_line_beyond_the_bound_is_skipped_and_never_kept():
    class Endless(io.RawIOBase):
        asked = 0

        def readline(self, size=-1):
            Endless.asked = max(Endless.asked, size)
            return next(self.parts, b"")

    stream = Endless()
    stream.parts = iter([b"a,b\n", b"x" * (limits.MAX_LINE + 1), b"x" * 10, b"\n", b"1,2\n"])
    found = list(records(stream))
    assert "more than" in found[0].problem
    assert dict(found[1].cells) == {"a": "1", "b": "2"}
    assert Endless.asked == limits.MAX_LINE + 1


def test_an_open_quote_swallows_no_more_than_a_field_may_have():
    found = read(b'a,b\n"open,1\n' + b"1,2\n" * 50_000)
    assert found[0].problem
    assert sum(not one.problem for one in found) > 10_000


@pytest.mark.parametrize("header", [b"\n", b"a,a\n", b"a,,b\n", ",".join(map(str, range(5000))).encode() + b"\n"])
def test_without_a_usable_header_there_is_no_record(header):
    with pytest.raises(MalformedInput):
        read(header + b"1,2\n")


@given(st.binary(max_size=300))
def test_any_bytes_are_records_problems_or_our_error(data):
    try:
        found = read(data)
    except MalformedInput:
        return
    assert all(one.problem or one.cells for one in found)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8))
def test_what_was_written_is_what_is_read(pairs):
    made = [{"a": f"x{a}", "b": b} for a, b in pairs]
    found = read(as_csv(made))
    assert [dict(one.cells) for one in found] == [{"a": row["a"], "b": row["b"] or None} for row in made]
