"""Time stamps: made by a real `openssl ts`, checked by us and by it, and everything that is refused."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger.anchors import timestamp
from ringfence.ledger.anchors.timestamp import parse_certificate, policy_of, request, token_of, verify_timestamp
from ringfence.testing.anchors import LabAuthority, openssl
from ringfence.testing.clock import START
from ringfence.testing.keys import head

NOTE = head(7, bytes(32), START).note.encode()
NONCE = 0xF123456789ABCDEF  # its first bit is set: as a DER integer it takes nine bytes


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> LabAuthority:
    return LabAuthority.make(tmp_path_factory.mktemp("tsa") / "lab")


@pytest.fixture(scope="module")
def answer(authority: LabAuthority) -> bytes:
    return authority.answer(request(NOTE, NONCE))


@pytest.fixture(scope="module")
def token(answer: bytes) -> bytes:
    return token_of(answer, NONCE)


def test_a_stamp_is_verified_and_says_whose_it_is(authority: LabAuthority, token: bytes) -> None:
    stamped = verify_timestamp(token, NOTE, [authority.trusted()])
    assert stamped is not None
    assert (stamped.authority, stamped.party, stamped.outside) == ("CN=Lab stamps", "Stamps AG", True)
    assert abs(stamped.at - datetime.now(UTC)) < timedelta(minutes=5)  # noqa: TID251 - openssl's clock
    assert policy_of(token) == "1.2.3.4.1"


def test_a_clock_that_is_said_to_be_inexact_counts_at_its_latest(authority: LabAuthority, tmp_path: Path) -> None:
    """What is shown is by when the head existed; the time alone may be earlier than it did."""
    inexact = replace(authority, folder=shutil.copytree(authority.folder, tmp_path / "inexact"))
    with (inexact.folder / "tsa.cnf").open("a") as configuration:
        configuration.write("accuracy = secs:7200, millisecs:500\n")
    token = token_of(inexact.answer(request(NOTE, NONCE)), NONCE)
    stamped = verify_timestamp(token, NOTE, [authority.trusted()])
    assert stamped is not None
    told = timestamp._parsed(timestamp._der(0x30, timestamp._GRANTED + token)).tst_info.gen_time
    assert stamped.at - told == timedelta(seconds=7200, milliseconds=500)


def test_openssl_accepts_ours_and_refuses_changed_data(authority: LabAuthority, token: bytes, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(NOTE)
    (tmp_path / "token.tst").write_bytes(token)
    root = str(authority.folder / "root.pem")
    wanted = ("ts", "-verify", "-data", "checkpoint", "-in", "token.tst", "-token_in", "-CAfile", root)
    assert openssl(*wanted, folder=tmp_path).returncode == 0
    (tmp_path / "checkpoint").write_bytes(NOTE.replace(b"\n7\n", b"\n8\n"))
    assert openssl(*wanted, folder=tmp_path).returncode != 0


def test_openssl_reads_our_request(tmp_path: Path) -> None:
    (tmp_path / "q").write_bytes(request(NOTE, NONCE))
    done = openssl("ts", "-query", "-in", "q", "-text", folder=tmp_path)
    assert "sha256" in done.stdout
    assert "Nonce: 0xF123456789ABCDEF" in done.stdout
    assert "Certificate required: yes" in done.stdout


def test_a_stamp_over_something_else_is_refused(authority: LabAuthority, token: bytes) -> None:
    with pytest.raises(VerificationFailed, match="something else"):
        verify_timestamp(token, NOTE + b"x", [authority.trusted()])
    with pytest.raises(VerificationFailed, match="something else"):
        verify_timestamp(token, NOTE + b"x", [])


def test_another_hash_than_sha_256_is_refused(authority: LabAuthority, tmp_path: Path) -> None:
    (tmp_path / "note").write_bytes(NOTE)
    openssl("ts", "-query", "-data", "note", "-sha512", "-cert", "-out", "q", folder=tmp_path)
    answer = authority.answer((tmp_path / "q").read_bytes())
    token = timestamp._parsed(answer).time_stamp_token()
    with pytest.raises(VerificationFailed, match="something else"):
        verify_timestamp(token, NOTE, [authority.trusted()])


def test_the_same_digest_under_the_name_of_another_hash_is_refused(authority: LabAuthority, tmp_path: Path) -> None:
    digest = sha256(NOTE).hexdigest()
    openssl("ts", "-query", "-digest", digest, "-sha512-256", "-cert", "-out", "q", folder=tmp_path)
    token = timestamp._parsed(authority.answer((tmp_path / "q").read_bytes())).time_stamp_token()
    with pytest.raises(VerificationFailed, match="something else"):
        verify_timestamp(token, NOTE, [authority.trusted()])


def test_a_name_of_an_unknown_type_is_refused_in_our_words(authority: LabAuthority, token: bytes) -> None:
    """The parser reads on demand and raises whatever it likes: here a KeyError, deep inside."""
    name = b"\x0c\x08Lab root"
    before, _, after = token.rpartition(name)
    with pytest.raises(MalformedInput):
        verify_timestamp(before + b"\x2c" + name[1:] + after, NOTE, [authority.trusted()])


def test_the_answer_to_another_request_is_refused(answer: bytes) -> None:
    with pytest.raises(VerificationFailed, match="nonce"):
        token_of(answer, NONCE + 1)


def test_an_authority_that_refuses_is_named(authority: LabAuthority) -> None:
    with pytest.raises((VerificationFailed, MalformedInput)):
        token_of(authority.answer(b"\x30\x03\x02\x01\x01"), NONCE)


def test_a_stranger_is_nobody(token: bytes, tmp_path: Path) -> None:
    stranger = LabAuthority.make(tmp_path / "other", name="Other")
    assert verify_timestamp(token, NOTE, [stranger.trusted()]) is None
    assert verify_timestamp(token, NOTE, []) is None


def test_somebody_who_calls_themselves_the_same_is_refused(token: bytes, tmp_path: Path) -> None:
    impostor = LabAuthority.make(tmp_path / "same")
    with pytest.raises(VerificationFailed, match="does not verify"):
        verify_timestamp(token, NOTE, [impostor.trusted()])


def twin(authority: LabAuthority, name: str, purposes: list[x509.ObjectIdentifier], *, critical: bool) -> bytes:
    """Return another certificate for the key that stamps, under the same number and of the same length."""
    known = x509.load_pem_x509_certificate((authority.folder / "tsa.pem").read_bytes())
    top = load_pem_private_key((authority.folder / "root-key.pem").read_bytes(), None)
    usage = x509.ExtendedKeyUsage(purposes)
    made = (
        x509.CertificateBuilder(known.issuer, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(known.public_key())
        .serial_number(known.serial_number)
        .not_valid_before(known.not_valid_before_utc)
        .not_valid_after(known.not_valid_after_utc)
    )
    for each in known.extensions:
        other = not isinstance(each.value, x509.ExtendedKeyUsage)
        made = made.add_extension(each.value if other else usage, critical=each.critical if other else critical)
    for _ in range(20_000):  # signatures of ECDSA differ in length, and some lengths are rare
        found = made.sign(top, SHA256()).public_bytes(Encoding.DER)  # type: ignore[arg-type]
        if len(found) == len(_known(authority)):
            return found
    raise AssertionError("no certificate has this length")


def _known(authority: LabAuthority) -> bytes:
    return x509.load_pem_x509_certificate((authority.folder / "tsa.pem").read_bytes()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("name", "purposes", "critical"),
    [
        ("Lab of many purposes stamps", [ExtendedKeyUsageOID.CODE_SIGNING], True),
        ("Lab of many purposes stamps012", [ExtendedKeyUsageOID.TIME_STAMPING], False),  # three bytes less: no TRUE
        ("Lab of many pur", [ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING], True),
    ],
)
def test_a_certificate_that_is_not_for_time_stamping_alone_is_refused(
    tmp_path: Path, name: str, purposes: list[x509.ObjectIdentifier], *, critical: bool
) -> None:
    """No openssl makes such a stamp: the certificate in a good one is replaced, which its signature does not notice."""
    authority = LabAuthority.make(tmp_path / "tsa", name="Lab of many purposes")
    token = token_of(authority.answer(request(NOTE, NONCE)), NONCE)
    same = twin(authority, "Lab of many purposes stamps", [ExtendedKeyUsageOID.TIME_STAMPING], critical=True)
    with pytest.raises(VerificationFailed, match="under another certificate"):
        verify_timestamp(token.replace(_known(authority), same), NOTE, [authority.trusted()])
    changed = token.replace(_known(authority), twin(authority, name, purposes, critical=critical))
    with pytest.raises(VerificationFailed, match="does not verify"):
        verify_timestamp(changed, NOTE, [authority.trusted()])


def test_a_certificate_that_had_ended_when_it_stamped_is_refused(tmp_path: Path) -> None:
    ended = LabAuthority.make(tmp_path / "ended", ended=True)
    token = token_of(ended.answer(request(NOTE, NONCE)), NONCE)
    with pytest.raises(VerificationFailed, match="does not verify"):
        verify_timestamp(token, NOTE, [ended.trusted()])


def unchanged(authority: LabAuthority, token: bytes, places: range) -> float:
    """Flip a bit at each place; return which share of the tokens was refused. None may say anything else."""
    genuine = verify_timestamp(token, NOTE, [authority.trusted()])
    refused = 0
    for place in places:
        changed = bytearray(token)
        changed[place // 8] ^= 1 << (place % 8)
        try:
            found = verify_timestamp(bytes(changed), NOTE, [authority.trusted()])
        except (MalformedInput, VerificationFailed):
            refused += 1
        else:
            assert found in (None, genuine)
            refused += found is None
    return refused / len(places)


@pytest.mark.parametrize("start", [0, 5, 11])
def test_no_changed_bit_makes_another_stamp(authority: LabAuthority, token: bytes, start: int) -> None:
    assert unchanged(authority, token, range(start, 8 * len(token), 53)) > 0.9


@pytest.mark.soak
def test_no_changed_bit_anywhere_makes_another_stamp(authority: LabAuthority, token: bytes) -> None:
    assert unchanged(authority, token, range(8 * len(token))) > 0.9


@pytest.mark.parametrize("data", [b"", b"x", b"\x30\x00", b"\x30" * 1000, b"\x30\x84\xff\xff\xff\xff", bytes(70000)])
def test_what_is_no_token_is_refused(authority: LabAuthority, data: bytes) -> None:
    with pytest.raises(MalformedInput):
        verify_timestamp(data, NOTE, [authority.trusted()])
    with pytest.raises(MalformedInput):
        token_of(data, NONCE)


def test_the_certificate_is_the_one_at_the_root(authority: LabAuthority) -> None:
    pem = (authority.folder / "root.pem").read_bytes()
    assert (
        parse_certificate(pem) == parse_certificate(authority.certificate) == authority.root.public_bytes(Encoding.DER)
    )
    with pytest.raises(MalformedInput, match="root of its chain"):
        parse_certificate((authority.folder / "tsa.pem").read_bytes())
    for data in (b"", b"x", b"-----BEGIN CERTIFICATE-----\n", b"\x30" * 20000):
        with pytest.raises(MalformedInput):
            parse_certificate(data)
