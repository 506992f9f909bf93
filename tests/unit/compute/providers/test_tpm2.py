"""TPM commands: against a real software TPM, and answers that are not what they should be."""

import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.attestation import credential, tpm_structures
from ringfence.compute.providers import tpm2
from ringfence.compute.providers.tpm2 import SHA256, Key, Tpm, TpmError
from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.testing import measured

WHY = measured.missing()
real = pytest.mark.skipif(bool(WHY), reason=WHY or "-")


@pytest.fixture(scope="module")
def tpm(tmp_path_factory):
    with measured.software_tpm(tmp_path_factory.mktemp("tpm")) as made:
        yield made


@pytest.fixture
def ak(tpm):
    key = tpm.attestation_key()
    yield key
    tpm.flush(key.handle)


@pytest.fixture
def ek(tpm):
    key = tpm.endorsement_key()
    yield key
    tpm.flush(key.handle)


@real
def test_registers_are_all_of_the_one_bank(tpm):
    assert tpm.pcrs(range(17)) == dict.fromkeys(range(17), bytes(32))


@real
def test_keys_are_what_they_should_be_and_the_same_again(tpm, ak, ek):
    assert tpm_structures.is_attestation_key(tpm_structures.parse_public(ak.public))
    assert tpm_structures.is_endorsement_key(tpm_structures.parse_public(ek.public))
    again = tpm.endorsement_key()
    assert again.public == ek.public
    tpm.flush(again.handle)


@real
def test_a_quote_is_signed_over_the_registers_and_what_was_given(tpm, ak):
    quoted = tpm.quote(ak, b"q" * 32, (0, 10))
    public = tpm_structures.parse_public(ak.public)
    assert tpm_structures.is_signed(quoted.attest, tpm_structures.parse_signature(quoted.signature), public.key)
    said = tpm_structures.parse_quote(quoted.attest)
    assert (said.extra, said.selected) == (b"q" * 32, {0, 10})
    assert said.digest == hashlib.sha256(bytes(64)).digest()


@real
def test_a_credential_comes_back_from_this_tpm_beside_this_key_only(tpm, ak, ek):
    endorsement, name = tpm_structures.parse_public(ek.public), tpm_structures.parse_public(ak.public).name
    made = credential.make(endorsement, name, b"s" * 32, os.urandom)
    assert tpm.activate(ak, ek, made.blob + made.secret) == b"s" * 32
    wrong = credential.make(endorsement, bytes([*name[:-1], name[-1] ^ 1]), b"s" * 32, os.urandom)
    with pytest.raises(TpmError):
        tpm.activate(ak, ek, wrong.blob + wrong.secret)
    for broken in (b"", made.blob, made.blob + made.secret + b"x", made.secret + made.blob):
        with pytest.raises(TpmError):
            tpm.activate(ak, ek, broken)
    assert tpm.activate(ak, ek, made.blob + made.secret) == b"s" * 32, "sessions are left over"


@real
def test_an_attestation_key_signs_nothing_that_it_is_given(tpm, ak):
    digest = tpm2.sized(bytes(32)) + (0x0018).to_bytes(2) + SHA256.to_bytes(2)
    ticket = (0x8024).to_bytes(2) + (0x40000007).to_bytes(4) + bytes(2)
    with pytest.raises(TpmError):
        tpm._ask(0x15D, (ak.handle,), digest + ticket, tpm2._EMPTY)  # TPM2_Sign, which we never ask for


@real
def test_its_maker_says_that_it_is_a_program(tpm):
    assert tpm.properties(tpm2.MANUFACTURER, 1) == {tpm2.MANUFACTURER: int.from_bytes(b"IBM\0", "big")}


def answering(*answers):
    left = list(answers)
    return Tpm(lambda _: left.pop(0))


def answer(body=b"", code=0, tag=tpm2.NO_SESSIONS):
    return tag.to_bytes(2) + (10 + len(body)).to_bytes(4) + code.to_bytes(4) + body


@pytest.mark.parametrize("busy", sorted(tpm2.AGAIN))
def test_a_busy_tpm_is_asked_again(busy):
    answering(answer(code=busy), answer(code=busy), answer()).startup()


def test_a_refusal_names_command_and_code():
    with pytest.raises(TpmError, match="0x144 with code 0x100"):
        answering(answer(code=0x100)).startup()


@pytest.mark.parametrize("pcr", [-1, 24])
def test_a_register_that_no_tpm_has_is_refused(pcr):
    with pytest.raises(MalformedInput):
        tpm2.selection([pcr])


@given(st.binary(max_size=80))
def test_any_answer_is_refused_or_read(body):
    key = Key(0x80000000, b"")
    asks = (
        lambda tpm: tpm.startup(),
        lambda tpm: tpm.pcrs(range(9)),
        lambda tpm: tpm.endorsement_key(),
        lambda tpm: tpm.quote(key, b"q", (0,)),
        lambda tpm: tpm.activate(key, key, b""),
        lambda tpm: tpm.properties(tpm2.FIRMWARE, 2),
    )
    for ask in asks:
        for raw in (body, answer(body), answer(body, tag=tpm2.SESSIONS)):
            try:
                ask(Tpm(lambda _, raw=raw: raw))
            except RingfenceError:
                continue
