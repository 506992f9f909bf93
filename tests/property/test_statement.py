"""Statements, drawn at random: what is printed is read back, and what is changed is refused or reads the same."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import KeyId, LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import Issuance, Statement, Strength, Subject, parse_payload, to_payload

HEX = "0123456789abcdef"
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
DIGESTS = st.binary(min_size=32, max_size=32).map(Digest)
TIMES = st.integers(0, 253402300799999).map(
    lambda ms: datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
)
ISSUANCES = st.builds(
    Issuance,
    tenant=st.from_regex(r"\A[a-z][a-z0-9-]{0,31}\Z").map(Tenant),
    log=st.just(LogOrigin("example.eu/log")),
    issuer=st.text(HEX, min_size=64, max_size=64).map(KeyId),
    strength=st.sampled_from(Strength),
    sequence=st.integers(1, 2**53),
    nonce=st.text(HEX, min_size=32, max_size=32),
    idempotency_key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128),
    issued_at=TIMES,
    demo=st.booleans(),
    late=st.booleans(),
)
STATEMENTS = st.builds(
    Statement,
    predicate=st.sampled_from(["dataset.sealed", "key.enrolled", "a.b_c.d9"]).map(PredicateName),
    subjects=st.lists(st.builds(Subject, PRINTABLE, DIGESTS), min_size=1, max_size=4).map(tuple),
    claims=st.dictionaries(TEXT, JSON, max_size=5),
    issuance=ISSUANCES,
    details=st.none() | DIGESTS,
)


@given(STATEMENTS)
def test_a_statement_is_read_back_as_it_was_printed(statement):
    assert parse_payload(to_payload(statement)) == statement


@given(STATEMENTS, st.integers(0), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_still_a_statement(statement, place, change):
    payload = bytearray(to_payload(statement))
    payload[place % len(payload)] ^= change
    try:
        read = parse_payload(bytes(payload))
    except MalformedInput:
        return
    assert parse_payload(to_payload(read)) == read


@given(STATEMENTS, st.sampled_from(["tenant", "log", "issuer", "strength", "sequence", "nonce", "issuedAt"]), JSON)
def test_no_field_of_the_issuance_takes_just_anything(statement, name, value):
    document = digest.loads(to_payload(statement))
    before = document["predicate"]["issuance"][name]
    document["predicate"]["issuance"][name] = value
    try:
        read = parse_payload(digest.dumps(document))
    except MalformedInput:
        return
    assert type(value) is type(before)
    assert parse_payload(to_payload(read)) == read


@given(JSON)
def test_no_other_document_is_a_statement(document):
    with pytest.raises(MalformedInput):
        parse_payload(digest.dumps(document))
