"""The certificate that a time stamp's signer named: compared, whatever hash it is named by."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger.anchors.certified import check_certified
from ringfence.ledger.anchors.timestamp import request, token_of, verify_timestamp
from ringfence.testing.anchors import LabAuthority
from ringfence.testing.clock import START
from ringfence.testing.keys import head

NOTE, NONCE = head(7, bytes(32), START).note.encode(), 7


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> LabAuthority:
    return LabAuthority.make(tmp_path_factory.mktemp("tsa") / "lab")


def certificate(authority: LabAuthority) -> bytes:
    return x509.load_pem_x509_certificate((authority.folder / "tsa.pem").read_bytes()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("chain", ["no", "yes"])
def test_a_stamp_names_the_certificate_of_its_signer(
    authority: LabAuthority, tmp_path: Path, algorithm: str, chain: str
) -> None:
    given = replace(authority, folder=shutil.copytree(authority.folder, tmp_path / "given"))
    written = (given.folder / "tsa.cnf").read_text()
    written = written.replace("ess_cert_id_alg = sha256", f"ess_cert_id_alg = {algorithm}")
    (given.folder / "tsa.cnf").write_text(written.replace("ess_cert_id_chain = no", f"ess_cert_id_chain = {chain}"))
    token = token_of(given.answer(request(NOTE, NONCE)), NONCE)
    assert verify_timestamp(token, NOTE, [authority.trusted()])
    check_certified(token, [certificate(authority)])
    with pytest.raises(VerificationFailed, match="under another certificate"):
        check_certified(token, [authority.certificate])
    with pytest.raises(VerificationFailed, match="under another certificate"):
        check_certified(token, [certificate(authority), authority.certificate])


def test_a_stamp_that_names_none_or_by_a_hash_that_is_not_known_is_refused(authority: LabAuthority) -> None:
    token = token_of(authority.answer(request(NOTE, NONCE)), NONCE)
    kind = bytes.fromhex("2a864886f70d010910022f")
    assert token.count(kind) == 1
    with pytest.raises(MalformedInput, match="does not say"):
        check_certified(token.replace(kind, kind[:-1] + b"\x7f"), [certificate(authority)])
    old = token.replace(kind, kind[:-1] + b"\x0c")  # the same list, read as one of the older kind
    with pytest.raises(VerificationFailed, match="under another certificate"):
        check_certified(old, [certificate(authority)])


def test_what_is_cut_or_changed_is_refused_in_our_words(authority: LabAuthority) -> None:
    token = token_of(authority.answer(request(NOTE, NONCE)), NONCE)
    damaged = [token[:length] for length in range(0, len(token), 7)]
    damaged += [token[:at] + bytes((token[at] ^ 0x80,)) + token[at + 1 :] for at in range(0, len(token), 3)]
    for one in damaged:
        try:
            check_certified(one, [certificate(authority)])
        except (MalformedInput, VerificationFailed):
            continue
