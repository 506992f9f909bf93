from datetime import UTC, datetime

import pytest

from ringfence.attestation import der
from ringfence.kernel.errors import MalformedInput


def node(data):
    return der.Nodes(data).any("it")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x01",
        b"\x30\x80\x00\x00",  # indefinite
        b"\x30\x81\x01a",  # not the shortest form
        b"\x30\x82\x00\x81" + bytes(0x81),
        b"\x30\x84\x00\x00\x00\x01a",  # more length bytes than anything here needs
        b"\x3f\x81\x01\x01a",  # a tag of several bytes
        b"\x30\x01aa",  # something behind it
    ],
)
def test_only_der_is_read(data):
    with pytest.raises(MalformedInput, match="DER"):
        der.only(data, 0x30, "it")


@pytest.mark.parametrize(("content", "value"), [("00", 0), ("7f", 127), ("0080", 128), ("80", -128), ("ff", -1)])
def test_numbers(content, value):
    data = bytes.fromhex(content)
    assert der.integer(node(bytes((2, len(data))) + data), "it") == value


@pytest.mark.parametrize("content", [b"", b"\x00\x7f", b"\xff\x80"])
def test_numbers_have_one_form(content):
    with pytest.raises(MalformedInput):
        der.integer(node(bytes((2, len(content))) + content), "it")


def test_object_identifiers():
    assert der.oid(node(bytes.fromhex("0609 2a864886f70d01010b")), "it") == "1.2.840.113549.1.1.11"
    assert der.oid(node(bytes.fromhex("0603 883703")), "it") == "2.999.3"
    for wrong in ("0600", "060180", "06028001", "06022a80"):
        with pytest.raises(MalformedInput):
            der.oid(node(bytes.fromhex(wrong)), "it")


def test_booleans_strings_of_bits_and_text():
    assert der.boolean(node(b"\x01\x01\xff"), "it")
    assert not der.boolean(node(b"\x01\x01\x00"), "it")
    assert der.flags(node(b"\x03\x02\x02\x84"), "it") == {0, 5}
    assert der.bits(node(b"\x03\x02\x00a"), "it") == b"a"
    assert der.text(node(b"\x0c\x02\xc3\xa9"), "it") == "é"
    assert der.text(node(b"\x14\x01\xe9"), "it") == "é"
    for read, wrong in (
        (der.boolean, b"\x01\x01\x01"),
        (der.bits, b"\x03\x02\x01a"),
        (der.flags, b"\x03\x02\x08a"),
        (der.flags, b"\x03\x01\x01"),
        (der.text, b"\x04\x01a"),
    ):
        with pytest.raises(MalformedInput):
            read(node(wrong), "it")


def test_times_are_of_two_forms_and_no_other():
    assert der.instant(node(b"\x17\x0d491231235959Z"), "it") == datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert der.instant(node(b"\x17\x0d500101000000Z"), "it").year == 1950
    assert der.instant(node(b"\x18\x0f99991231235959Z"), "it").year == 9999
    for wrong in (b"\x17\x0d491331235959Z", b"\x18\x0d491231235959Z", b"\x17\x0b4912312359Z", b"\x04\x0d491231235959Z"):
        with pytest.raises(MalformedInput):
            der.instant(node(wrong), "it")


def test_what_is_not_there_is_said():
    nodes = der.Nodes(b"\x05\x00")
    assert nodes.optional(der.INTEGER, "it") is None
    assert nodes.tag == der.NULL
    with pytest.raises(MalformedInput, match="tag"):
        nodes.next(der.INTEGER, "it")
    assert (nodes.more, nodes.tag) == (False, -1)
    with pytest.raises(MalformedInput):
        der.Nodes(b"\x05\x00").end("it")
