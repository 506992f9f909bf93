import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.gateway import records
from ringfence.gateway.model import Basis, ServedModel
from ringfence.gateway.records import Because, Outcome, Record, parse, to_bytes
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError, MalformedInput
from ringfence.testing import receipts

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=records.MAX_NAME)
COUNTS = st.integers(0, records.MAX_COUNT)


def read_back(record):
    return parse(to_bytes(record), salt=record.admitted.salt)


def without_derived(record):
    return replace(record, admitted=replace(record.admitted, opening_commitment=b""))


@given(
    NAMES,
    NAMES,
    st.sampled_from(list(Basis)),
    st.none() | st.binary(min_size=32, max_size=32),
    COUNTS.filter(bool),
    st.none() | COUNTS,
    st.sampled_from(list(Outcome)),
    st.sampled_from(list(Because)),
)
def test_what_is_printed_reads_back_the_same(name, node, basis, weights, number, tokens, outcome, because):
    model = ServedModel(name, Digest(weights) if weights else None, basis)
    record = Record(
        number,
        receipts.admitted(model=model, node=node),
        receipts.finished(outcome=outcome, because=because, prompt_tokens=tokens),
    )
    assert without_derived(read_back(record)) == record
    assert len(to_bytes(record)) <= records.MAX_RECORD


def test_a_record_is_json_in_its_one_compact_form():
    data = to_bytes(receipts.record())
    assert digest.dumps(json.loads(data)) == data


def test_no_salt_no_text_and_no_plain_hash_stands_in_a_record():
    data = to_bytes(receipts.record(5))
    for secret in (receipts.salt(5), receipts.asked(5), b"".join(receipts.EVENTS)):
        assert secret not in data
        assert secret.hex().encode() not in data
        assert sha256(secret).hexdigest().encode() not in data


@pytest.mark.parametrize("name", ["x" * (records.MAX_NAME + 1), "\ud800"])
def test_a_name_that_could_not_be_read_back_is_never_written(name):
    with pytest.raises(InternalError, match="text of at most 256"):
        to_bytes(receipts.record(model=ServedModel(name, None, Basis.DECLARED)))


@pytest.mark.parametrize(
    ("half", "facts"),
    [
        ("admitted", {"salt": b"short"}),
        ("admitted", {"request_commitment": b"short"}),
        ("finished", {"status": 600}),
        ("finished", {"events": -1}),
        ("finished", {"chain": b"short"}),
        ("finished", {"response_commitment": b"short"}),
    ],
)
def test_nor_is_a_half_with_a_value_that_is_none(half, facts):
    record = receipts.record()
    with pytest.raises(InternalError):
        to_bytes(replace(record, **{half: replace(getattr(record, half), **facts)}))


@pytest.mark.parametrize("count", [-1, 2**53 + 1, 10**400])
def test_a_count_that_is_none_is_not_kept(count):
    record = replace(receipts.record(), finished=receipts.finished(completion_tokens=count))
    assert read_back(record).finished.completion_tokens is None


def changed(path, value):
    document = json.loads(to_bytes(receipts.record()))
    place = document
    for name in path[:-1]:
        place = place[name]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return digest.dumps(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("admitted", "number"), 0),
        (("admitted", "number"), True),
        (("admitted", "requestId"), "req-1"),
        (("admitted", "at"), "yesterday"),
        (("admitted", "key"), "rfk-secret"),
        (("admitted", "tenant"), "UPPER"),
        (("admitted", "route"), "models"),
        (("admitted", "deployment"), "../x"),
        (("admitted", "model", "basis"), "attested"),
        (("admitted", "model", "digest"), "sha1:00"),
        (("admitted", "model", "name"), 3),
        (("admitted", "node"), "n" * 257),
        (("admitted", "policy"), "00" * 32),
        (("admitted", "opening"), None),
        (("admitted", "request"), ...),
        (("admitted", "text"), "hello"),
        (("finished", "status"), 600),
        (("finished", "status"), "200"),
        (("finished", "outcome"), "fine"),
        (("finished", "because"), "bored"),
        (("finished", "events"), -1),
        (("finished", "promptTokens"), "3"),
        (("finished", "chain"), ...),
        (("finished", "text"), "hello"),
        (("more",), {}),
    ],
)
def test_another_field_or_value_is_refused_with_the_source(path, value):
    with pytest.raises(MalformedInput, match=r"^a file: "):
        parse(changed(path, value), source="a file")


def test_another_form_of_the_same_json_is_refused():
    with pytest.raises(MalformedInput, match="one byte form"):
        parse(to_bytes(receipts.record()).replace(b'"number":', b'"number": '))
