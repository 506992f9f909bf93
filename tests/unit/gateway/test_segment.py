import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.gateway import segment
from ringfence.gateway.records import Outcome
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, VerificationFailed
from ringfence.kernel.statement import Statement, Strength, Subject, parse_payload, to_payload
from ringfence.ledger import tree
from ringfence.testing import keys, receipts


def leaves(count):
    return [b"leaf %d" % number for number in range(count)]


def closing(data, **facts):
    root = Digest(segment.root_of([segment.leaf_hash(leaf) for leaf in data]))
    return replace(receipts.closing_of([receipts.record(1)])[1], root=root, records=len(data), **facts)


def issuance(number=1, **facts):
    envelope = keys.state(keys.ed25519(9), "a.b", {}, Subject("a", Digest.of(b"a")))
    made = {"strength": Strength.OBSERVED, "idempotency_key": f"segment-{number}"}
    return replace(envelope.statement.issuance, **made | facts)


@pytest.mark.parametrize("count", range(1, 65))
def test_the_tree_is_that_of_rfc_6962(count):
    data = leaves(count)
    hashes = [segment.leaf_hash(leaf) for leaf in data]
    reader = tree.overlay(tree.grow(0, hashes, lambda _: ()), lambda _: ())
    assert segment.root_of(hashes) == tree.root_of(hashes)
    for index, leaf in enumerate(data):
        path = segment.path_in(index, segment.levels_of(hashes))
        assert path == tree.inclusion_proof(index, count, reader)
        segment.verify_inclusion(leaf, index, path, closing(data))


@given(st.integers(1, 40), st.data())
def test_no_other_leaf_index_or_path_is_included(count, data):
    hashes = [segment.leaf_hash(leaf) for leaf in leaves(count)]
    index = data.draw(st.integers(0, count - 1))
    path = segment.path_in(index, segment.levels_of(hashes))
    changes = ["leaf", "longer", "outside"] + (["index", "shorter", "flipped"] if count > 1 else [])
    leaf, at, hops = b"leaf %d" % index, index, list(path)
    match data.draw(st.sampled_from(changes)):
        case "leaf":
            leaf += b"!"
        case "longer":
            hops.append(bytes(32))
        case "outside":
            at = count
        case "index":
            at = data.draw(st.integers(0, count - 1).filter(lambda other: other != index))
        case "shorter":
            hops.pop()
        case "flipped":
            hops[-1] = bytes(32)
    with pytest.raises(VerificationFailed):
        segment.verify_inclusion(leaf, at, hops, closing(leaves(count)))


def test_a_path_leads_from_records_only():
    with pytest.raises(NotFound, match="no record 3"):
        segment.path_in(3, segment.levels_of([segment.leaf_hash(leaf) for leaf in leaves(3)]))


@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=20))
def test_a_file_reads_back_the_same(data):
    assert segment.from_bytes(segment.to_bytes(data)) == data


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5), st.data())
def test_a_cut_file_is_refused_or_ends_between_records(records, data):
    whole = segment.to_bytes(records)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        found = segment.from_bytes(cut)
    except MalformedInput:
        found = []
    assert found == records[: len(found)]


def test_a_statement_reads_back_as_its_closing():
    _, made = receipts.closing_of([receipts.record(number) for number in (1, 2, 3)])
    statement = segment.state(made, issuance())
    read = segment.read(parse_payload(to_payload(statement)))
    assert (read.number, read.root, read.records) == (made.number, made.root, 3)
    assert read.outcomes[Outcome.COMPLETE] == 3
    assert (read.admitted, read.finished) == (3, 3)


def test_the_claims_are_those_of_the_published_schema():
    path = Path(__file__).parents[3] / "docs" / "specs" / "predicates" / "inference.segment.schema.json"
    check = jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))
    claims = receipts.closing_of([receipts.record(number) for number in (1, 2)])[1].claims()
    check.validate(claims)
    for name in claims:
        assert not check.is_valid({key: value for key, value in claims.items() if key != name})
    assert not check.is_valid(claims | {"prompt": "text"})


def statement(claims=None, *, issued=None, subjects=None, predicate=segment.SEGMENT):
    _, made = receipts.closing_of([receipts.record(number) for number in (1, 2)])
    return Statement(
        predicate,
        subjects or (segment.subject(made),),
        made.claims() | (claims or {}),
        issued or issuance(),
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"claims": {"segment": 2}},
        {"claims": {"records": 0}},
        {"claims": {"records": 3}},
        {"claims": {"records": 10_001}},
        {"claims": {"finished": 1}},
        {"claims": {"admitted": 1}},
        {"claims": {"admitted": True}},
        {"claims": {"outcomes": {"complete": 2}}},
        {"claims": {"bases": {"declared": 1, "loaded": 0}}},
        {"claims": {"more": 1}},
        {"issued": issuance(strength=Strength.DOCUMENTED)},
        {"issued": issuance(idempotency_key="segment-2")},
        {"subjects": (Subject("segment/2", Digest.of(b"a")),)},
        {"subjects": (Subject("segment/1", Digest.of(b"a")), Subject("segment/1", Digest.of(b"b")))},
        {"predicate": "inference.other"},
    ],
)
def test_another_statement_is_no_closing(changed):
    with pytest.raises(MalformedInput):
        segment.read(statement(**changed))


def following(number=2, records=2, admitted=4, finished=4):
    return replace(
        receipts.closing_of([receipts.record(1)])[1],
        number=number, records=records, admitted=admitted, finished=finished,
    )  # fmt: skip


def test_a_closing_counts_on_from_the_one_before():
    first = following(number=1, records=2, admitted=3, finished=2)
    assert segment.follows(None, first) == first
    assert segment.follows(first, following()) == following()


@pytest.mark.parametrize(
    "changed", [{"number": 3}, {"number": 1}, {"finished": 5}, {"finished": 3}, {"admitted": 2, "finished": 2}]
)
def test_a_gap_in_the_numbers_of_segments_or_records_is_refused(changed):
    first = following(number=1, records=2, admitted=3, finished=2)
    with pytest.raises(VerificationFailed):
        segment.follows(first, following(**changed))
