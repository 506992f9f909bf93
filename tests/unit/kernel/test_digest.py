import pytest

from ringfence.kernel import digest
from ringfence.kernel.digest import MAX_DEPTH, Digest
from ringfence.kernel.errors import MalformedInput


def test_the_one_form_is_sorted_compact_and_ascii():
    assert digest.dumps({"b": [1, True, None], "a": "ä"}) == b'{"a":"\\u00e4","b":[1,true,null]}'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{}{}",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b"1.5",
        b"1e3",
        b"-0.0",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9007199254740993",
        b"-9007199254740993",
        b"1" * 5000,
        b'"\\ud800"',
        b'{"\\udc00":1}',
        b'"a\nb"',
        b"[1,]",
        b"'a'",
        b"{a:1}",
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * 100_000,
    ],
)
def test_what_is_not_strict_json_is_refused_with_its_source(data):
    with pytest.raises(MalformedInput, match=r"^here"):
        digest.loads(data, source="here")


@pytest.mark.parametrize(
    ("data", "value"), [(b"9007199254740992", 2**53), (b"-9007199254740992", -(2**53)), (b"-0", 0)]
)
def test_integers_up_to_2_53_are_read(data, value):
    assert digest.loads(data) == value


def test_a_surrogate_in_text_is_refused():
    with pytest.raises(MalformedInput):
        digest.loads('"\ud800"')


def test_the_limit_is_exact():
    assert digest.loads(b'"aa"', limit=4) == "aa"
    with pytest.raises(MalformedInput, match="limit"):
        digest.loads(b'"aaa"', limit=4)


def test_the_position_of_an_error_is_named():
    with pytest.raises(MalformedInput, match=r"^f:2:3: "):
        digest.loads("{\n  x", source="f")


def test_depth_up_to_the_limit_is_read():
    depth = MAX_DEPTH - 1
    assert digest.loads(b"[" * depth + b"]" * depth) is not None


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_digest_has_32_bytes(size):
    with pytest.raises(MalformedInput):
        Digest(bytes(size))


@pytest.mark.parametrize(
    "text", ["", "sha256:", "0" * 63, "0" * 63 + "G", "F" * 64, "sha512:" + "0" * 64, "sha256:sha256:" + "0" * 64]
)
def test_other_texts_are_no_digests(text):
    with pytest.raises(MalformedInput):
        Digest.parse(text)
