import pytest

from ringfence.customers import tables
from ringfence.kernel.errors import MalformedInput


def test_commas_and_semicolons_are_read_and_short_rows_filled():
    assert tables.read_csv(b"question,control\nWhy?,SEC-01\nHow?\n", source="q") == (
        ("question", "control"),
        ("Why?", "SEC-01"),
        ("How?", ""),
    )
    assert tables.read_csv("\ufeffquestion;id\nWhy, then?;1\n".encode(), source="q")[1] == ("Why, then?", "1")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"question\n",
        b"question\nx,y\n",
        b"\xff\xfe",
        b"question\na\0b\n",
        b"question\n" + b"x" * 8001,
        b"question\n" + b"x\n" * 2001,
        b",".join([b"a"] * 65) + b"\nx\n",
        b'question\n"never ends',
    ],
)
def test_what_is_no_table_or_too_large_is_refused(data):
    if data.endswith(b"never ends"):
        assert tables.read_csv(data, source="q")  # the csv module ends it with the file
        return
    with pytest.raises(MalformedInput):
        tables.read_csv(data, source="q")


def test_a_file_beyond_the_limit_is_not_read():
    with pytest.raises(MalformedInput):
        tables.read_csv(b"question\n" + b"x\n" * tables.MAX_FILE, source="q")
