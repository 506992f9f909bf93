"""A released key: what is printed is parsed again, and every change is seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.kernel import digest as json
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.keyrelease import wrapping
from ringfence.keyrelease.wrapping import Released, Terms
from ringfence.testing.keyrelease import KEY, NodeKeys

NODE = NodeKeys()
TERMS = Terms("d" * 32, 1, "lease-00000000000a", datetime(2026, 11, 23, 9, tzinfo=UTC), Digest.of(b"statement"))
SECRET = b"s" * 32


def released(secret=SECRET, terms=TERMS):
    sealed = wrapping.seal(bytearray(KEY), terms, NODE.public, secret)
    return Released(terms, sealed, None if secret is None else b"credential")


def opened(found, secret=SECRET, node=NODE):
    return bytes(wrapping.open_sealed(found, node.private, None if secret is None else lambda _: secret))


@pytest.mark.parametrize("secret", [SECRET, None])
def test_what_is_sealed_opens_again(secret):
    found = wrapping.parse(wrapping.printed(released(secret)))
    assert opened(found, secret) == KEY


def test_neither_the_node_key_nor_the_tpm_alone_opens_it():
    with pytest.raises(VerificationFailed):
        opened(released(), node=NodeKeys())
    with pytest.raises(VerificationFailed):
        opened(released(), b"t" * 32)
    with pytest.raises(VerificationFailed):
        opened(released(), None)
    with pytest.raises(VerificationFailed):
        opened(replace(released(), credential=None))  # the inner layer is no key


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "e" * 32},
        {"epoch": 2},
        {"lease": "lease-00000000000b"},
        {"expires_at": TERMS.expires_at + timedelta(minutes=1)},
        {"statement": Digest.of(b"another")},
    ],
)
def test_terms_are_bound(change):
    with pytest.raises(VerificationFailed):
        opened(replace(released(), terms=replace(TERMS, **change)))


def test_every_flipped_bit_is_seen():
    good = released()
    for position in range(0, len(good.sealed), 7):
        changed = bytearray(good.sealed)
        changed[position] ^= 1 << position % 8
        with pytest.raises(VerificationFailed):
            opened(replace(good, sealed=bytes(changed)))
    for length in (0, 1, 1100, len(good.sealed) - 1):
        with pytest.raises(VerificationFailed):
            opened(replace(good, sealed=good.sealed[:length]))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_or_secret_of_another_size_is_refused(size):
    with pytest.raises(MalformedInput):
        wrapping.seal(bytearray(size), TERMS, NODE.public, None)
    with pytest.raises(VerificationFailed):
        wrapping.seal(bytearray(KEY), TERMS, NODE.public, bytes(size))


@pytest.mark.parametrize("raw", [b"", NODE.public[:-1], NODE.public + b"x", b"\xff" * wrapping.NODE_KEY_SIZE])
def test_what_is_no_node_key_is_refused(raw):
    with pytest.raises(MalformedInput):
        wrapping.node_key(raw)


@given(
    st.integers(1, 2**53 - 1),
    st.binary(max_size=64),
    st.none() | st.binary(min_size=1, max_size=64),
    st.text("abc0-", max_size=20),
)
@settings(deadline=None)
def test_what_is_printed_is_parsed_again(epoch, sealed, credential, lease):
    made = Released(replace(TERMS, epoch=epoch, lease=lease), sealed, credential)
    assert wrapping.parse(wrapping.printed(made)) == made


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_other_bytes_are_refused(data):
    with pytest.raises(MalformedInput):
        wrapping.parse(data)


def test_other_fields_are_refused():
    good = wrapping.to_json(released())
    for name in good:
        if name != "credential":
            with pytest.raises(MalformedInput):
                wrapping.parse(json.dumps({key: value for key, value in good.items() if key != name}))
    for changed in ({"more": 1}, {"epoch": True}, {"epoch": 0}, {"format": "x"}, {"sealed": "!"}, {"dataset": "é"}):
        with pytest.raises(MalformedInput):
            wrapping.parse(json.dumps(good | changed))
