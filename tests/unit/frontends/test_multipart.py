from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.frontends.multipart import LARGEST, MOST_FILES, boundary, parse
from ringfence.kernel.errors import MalformedInput

BETWEEN = b"----x7"


def part(name, content=b"1", file=None, between=BETWEEN):
    disposition = f'form-data; name="{name}"' + (f'; filename="{file}"' if file is not None else "")
    head = f"Content-Disposition: {disposition}\r\nContent-Type: text/plain\r\n".encode()
    return b"--" + between + b"\r\n" + head + b"\r\n" + content + b"\r\n"


def body(*parts):
    return b"".join(parts) + b"--" + BETWEEN + b"--\r\n"


def test_fields_and_files_are_taken_apart():
    sent = parse(
        body(part("csrf", b"t"), part("files", b"a\r\n\r\nb", "set/deep/a.csv"), part("files", b"", "")), BETWEEN
    )
    assert sent.fields == {"csrf": "t"}
    assert sent.files == (("set/deep/a.csv", b"a\r\n\r\nb"),)


@pytest.mark.parametrize(
    "name",
    ["../a", "a/../../b", "/etc/passwd", "a//b", ".", "a/.", "..\\a", "a\x00b", "a/" * 16 + "b", "a" * 300, "a\x1fb"],
)
def test_no_file_is_named_outside_of_its_folder(name):
    with pytest.raises(MalformedInput, match="not a name below"):
        parse(body(part("files", b"1", name)), BETWEEN)


@pytest.mark.parametrize("names", [("a", "a"), ("a", "a/b"), ("a/b", "a")])
def test_no_two_files_are_one(names):
    with pytest.raises(MalformedInput, match="two files"):
        parse(body(*(part("files", b"1", name) for name in names)), BETWEEN)


def test_too_many_files_and_too_much_of_them_are_refused():
    with pytest.raises(MalformedInput, match="at most"):
        parse(body(*(part("files", b"1", f"f{number}") for number in range(MOST_FILES + 20))), BETWEEN)
    with pytest.raises(MalformedInput, match="in the terminal"):
        parse(body(*(part("files", b"1", f"f{number}") for number in range(MOST_FILES + 1))), BETWEEN)
    with pytest.raises(MalformedInput, match="in the terminal"):
        parse(body(part("files", bytes(LARGEST + 1), "a")), BETWEEN)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"nothing",
        part("a"),
        b"before" + body(part("a")),
        b"--" + BETWEEN + b"\r\nno heading--" + BETWEEN + b"--",
        body(part("a").replace(b'name="a"', b"")),
        body(part("a").replace(b"form-data", b"x" * 3000)),
    ],
)
def test_what_is_not_whole_is_refused(broken):
    with pytest.raises(MalformedInput):
        parse(broken, BETWEEN)


@given(st.binary(max_size=300))
def test_no_bytes_bring_another_error(data):
    with suppress(MalformedInput):
        parse(data, b"x")


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("multipart/form-data; boundary=----x7", BETWEEN),
        ('Multipart/Form-Data; charset=utf-8; boundary="----x7"', BETWEEN),
        ("application/x-www-form-urlencoded", None),
        ("", None),
    ],
)
def test_the_boundary_is_read(kind, found):
    assert boundary(kind) == found


def test_a_form_without_a_boundary_is_refused():
    with pytest.raises(MalformedInput, match="boundary"):
        boundary("multipart/form-data")
