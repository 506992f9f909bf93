"""The file: its one byte form, its limits, and what is no pack at all."""

import json

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.reports.pack import MAX_HEADS, MAX_RECORDS, Kind, parse_head, read
from ringfence.testing.tampering import edited


def test_a_pack_is_read_as_it_was_written(pack):
    contents = read(pack)
    assert contents.failures == ()
    assert contents.header.tenant == "acme"
    assert (contents.header.records, contents.header.size) == (8, 8)
    assert [len(contents.of(kind)) for kind in Kind] == [8, 1, 2, 1]


def test_a_newcomer_can_read_it(pack):
    lines = pack.decode("ascii").splitlines()
    assert json.loads(lines[4])["statement"]["predicateType"] == "urn:ringfence:dataset.sealed:v1"
    assert json.loads(lines[-1])["checkpoint"].startswith("lab.example/log\n8\n")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[]\n",
        b"\xff\xfe\n",
        b'{"format":"urn:ringfence:pack:v2"}\n',
        b"PK\x03\x04",
        b"[" * 100_000 + b"\n",
        b"{}\n" * (MAX_RECORDS + MAX_HEADS + 4),
    ],
)
def test_what_is_no_pack_is_refused_with_a_sentence(data):
    with pytest.raises(MalformedInput):
        read(data, source="x.pack")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("records", -1),
        ("records", True),
        ("records", MAX_RECORDS + 1),
        ("size", "8"),
        ("demo", 0),
        ("logKeys", ["one"]),
        ("logKeys", "ab"),
        ("root", "AAAA"),
        ("tenant", "No Tenant"),
        ("asOf", "yesterday"),
        ("extra", 1),
    ],
)
def test_a_header_has_exactly_its_fields(pack, name, value):
    with pytest.raises(MalformedInput):
        read(edited(pack, lambda lines: lines[0].update({name: value})))


def test_lines_out_of_order_are_named(pack):
    moved = edited(pack, lambda lines: lines.append(lines.pop(9)))
    assert any("stands out of its order" in str(failure) for failure in read(moved).failures)


def test_every_damaged_line_is_named(pack):
    lines = pack.splitlines()
    lines[2], lines[5] = b"{}", b'{"entry":4}'
    assert [f.record for f in read(b"\n".join(lines) + b"\n").failures] == [2, 5]


@pytest.mark.parametrize("value", [None, [], {}, {"size": True, "root": "A" * 43 + "=", "proof": []}])
def test_a_head_line_has_exactly_its_fields(value, pack):
    with pytest.raises(MalformedInput):
        parse_head({"head": value}, read(pack).header)
