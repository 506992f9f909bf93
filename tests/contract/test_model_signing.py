"""Models that we sign and that model-signing, the reference tool, signs: each accepts and refuses the other's."""

import base64
import json
import subprocess
import sys
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ringfence.artifacts.models import keyring
from ringfence.artifacts.models.blobs import model_folder, verified
from ringfence.artifacts.models.certificates import Authorities
from ringfence.artifacts.models.keys import SigningKey
from ringfence.artifacts.models.methods import Algorithm
from ringfence.artifacts.models.oms import Trust
from ringfence.artifacts.models.store import check_model, sign_folder, sign_otherwise
from ringfence.kernel.envelope import pae
from ringfence.kernel.errors import NotFound, VerificationFailed
from ringfence.storage.tokens import Token, TokenPlace
from ringfence.testing.certificates import END, START, issue, new_key
from ringfence.testing.models import key

theirs = pytest.importorskip("model_signing", reason="model-signing is not installed (requirements/dev.txt has it)")

FILES = {"config.json": b"{}", "w-1.bin": b"w" * 100_000, "w/1.bin": b"x", "empty": b"", ".hidden": b"h", "é.txt": b"e"}


@pytest.fixture
def place(tmp_path):
    model = tmp_path / "model"
    for name, data in FILES.items():
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_bytes(data)
    (model / ".gitattributes").write_text("x")
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(key().key.private_bytes(*form))
    (tmp_path / "pub.pem").write_text(key().public.pem)
    (tmp_path / "other.pem").write_text(key(2).public.pem)
    return tmp_path


def ours_signs(place):
    with model_folder(place / "model") as opened:
        sign_folder(opened, place / "model", key())


def ours_verifies(place, public=None):
    with verified(place / "model", [public or key().public]) as model:
        return model.check()


def theirs_signs(place):
    hashing = theirs.hashing.Config().use_file_serialization().set_ignored_paths(paths=["model.sig"])
    config = theirs.signing.Config().use_elliptic_key_signer(private_key=place / "key.pem").set_hashing_config(hashing)
    config.sign(place / "model", place / "model" / "model.sig")


def theirs_verifies(place, public="pub.pem"):
    config = theirs.verifying.Config().use_elliptic_key_verifier(public_key=place / public)
    config.verify(place / "model", place / "model" / "model.sig")


def theirs_cli(place, *arguments):
    command = [sys.executable, "-W", "ignore", "-m", "model_signing", *map(str, arguments)]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=120)


def change(path):
    path.write_bytes(path.read_bytes() + b"x")


def add(path):
    path.with_name("extra").write_bytes(b"x")


def remove(path):
    path.unlink()


def rename(path):
    path.rename(path.with_name("renamed"))


def swap(path):
    other = path.with_name("w-1.bin")
    data = path.read_bytes()
    path.write_bytes(other.read_bytes())
    other.write_bytes(data)


TAMPERING = [change, add, remove, rename, swap]


def test_the_reference_tool_accepts_ours(place):
    ours_signs(place)
    theirs_verifies(place)


def test_we_accept_theirs(place):
    theirs_signs(place)
    assert ours_verifies(place) == sum(map(len, FILES.values()))


def test_their_command_line_accepts_ours_and_we_accept_its(place):
    ours_signs(place)
    check = ("verify", "key", "model", "--signature", "model/model.sig", "--public_key", "pub.pem")
    done = theirs_cli(place, *check)
    assert done.returncode == 0, done.stdout + done.stderr
    (place / "model" / "model.sig").unlink()
    done = theirs_cli(place, "sign", "key", "model", "--signature", "model/model.sig", "--private_key", "key.pem")
    assert done.returncode == 0, done.stdout + done.stderr
    ours_verifies(place)
    change(place / "model" / "config.json")
    assert theirs_cli(place, *check).returncode != 0


@pytest.mark.parametrize("tampering", TAMPERING)
def test_they_refuse_ours_once_it_was_tampered_with(place, tampering):
    ours_signs(place)
    tampering(place / "model" / "config.json")
    with pytest.raises(ValueError, match="mismatch"):
        theirs_verifies(place)


@pytest.mark.parametrize("tampering", TAMPERING)
def test_we_refuse_theirs_once_it_was_tampered_with(place, tampering):
    theirs_signs(place)
    tampering(place / "model" / "config.json")
    with pytest.raises(VerificationFailed):
        ours_verifies(place)


def test_neither_takes_a_stranger_s_key(place):
    ours_signs(place)
    with pytest.raises(ValueError, match="Key mismatch"):
        theirs_verifies(place, "other.pem")
    theirs_signs(place)
    with pytest.raises(VerificationFailed, match="not among those"):
        ours_verifies(place, key(2).public)


def test_both_find_the_same_digests(place):
    ours_signs(place)
    with verified(place / "model", [key().public]) as model:
        ours = model.digest
    theirs_signs(place)
    with verified(place / "model", [key().public]) as model:
        assert model.digest == ours


def test_their_exemptions_and_further_hashes_are_refused_with_a_sentence(place):
    def sign(hashing):
        hashing.set_ignored_paths(paths=["model.sig", *exempt])
        config = theirs.signing.Config().use_elliptic_key_signer(private_key=place / "key.pem")
        config.set_hashing_config(hashing).sign(place / "model", place / "model" / "model.sig")

    exempt = ["config.json"]
    sign(theirs.hashing.Config().use_file_serialization())
    theirs_verifies(place)
    with pytest.raises(VerificationFailed, match=r"ignore 'config\.json'"):
        ours_verifies(place)
    exempt = []
    sign(theirs.hashing.Config().use_file_serialization(hashing_algorithm="blake2"))
    with pytest.raises(VerificationFailed, match="SHA-256"):
        ours_verifies(place)


def test_blake3_goes_both_ways_for_readers_elsewhere(place):
    pytest.importorskip("blake3", reason="BLAKE3 is not installed (ringfence[models])")
    elsewhere = place / "blake3.sig"
    with model_folder(place / "model") as opened:
        sign_otherwise(opened, elsewhere, key(), Algorithm.BLAKE3)
    config = theirs.verifying.Config().use_elliptic_key_verifier(public_key=place / "pub.pem")
    config.verify(place / "model", elsewhere)
    hashing = theirs.hashing.Config().use_file_serialization(hashing_algorithm="blake3")
    signing = theirs.signing.Config().use_elliptic_key_signer(private_key=place / "key.pem")
    signing.set_hashing_config(hashing).sign(place / "model", place / "theirs.sig")
    trust = Trust(keys=[key().public])
    for bundle in (elsewhere, place / "theirs.sig"):
        checked = check_model(place / "model", trust, bundle=bundle.read_bytes())
        assert (checked.files.method.text, checked.size) == ("blake3 of files", sum(map(len, FILES.values())))
    (place / "model" / "w-1.bin").write_bytes(b"w" * 99_999 + b"v")
    with pytest.raises(VerificationFailed, match=r"w-1\.bin"):
        check_model(place / "model", trust, bundle=elsewhere.read_bytes())
    with pytest.raises(ValueError, match="mismatch"):
        config.verify(place / "model", elsewhere)


@pytest.mark.parametrize("size", [7, 100_000, 1_000_000])
def test_their_shards_are_verified_in_both_spellings(place, size):
    (place / "model" / "empty").unlink()  # shards cannot name a file without bytes
    hashing = theirs.hashing.Config().use_shard_serialization(shard_size=size).set_ignored_paths(paths=["model.sig"])
    signing = theirs.signing.Config().use_elliptic_key_signer(private_key=place / "key.pem")
    signing.set_hashing_config(hashing).sign(place / "model", place / "model" / "model.sig")
    bundle = (place / "model" / "model.sig").read_bytes()
    trust = Trust(keys=[key().public])
    as_specified = resigned(bundle, lambda payload: payload.replace(f"sha256-sharded-{size}", "sha256"))
    for one in (bundle, as_specified):
        assert check_model(place / "model", trust, bundle=one).files.method.shard == size
    with pytest.raises(VerificationFailed, match="model import"):  # what is loaded is known by SHA-256 of its files
        ours_verifies(place)
    data = (place / "model" / "w-1.bin").read_bytes()
    for wrong in (data[:-1], data + b"w", b"v" + data[1:], data[:-1] + b"v"):
        (place / "model" / "w-1.bin").write_bytes(wrong)
        with pytest.raises(VerificationFailed, match=r"w-1\.bin"):
            check_model(place / "model", trust, bundle=bundle)
    (place / "model" / "w-1.bin").write_bytes(data)
    (place / "model" / "more").touch()
    with pytest.raises(VerificationFailed, match="not signed"):
        check_model(place / "model", trust, bundle=bundle)


def resigned(bundle, change):
    document = json.loads(bundle)
    envelope = document["dsseEnvelope"]
    payload = change(base64.b64decode(envelope["payload"]).decode()).encode()
    envelope["payload"] = base64.b64encode(payload).decode()
    envelope["signatures"][0]["sig"] = base64.b64encode(key().sign(pae(payload))).decode()
    return json.dumps(document).encode()


def pem(folder, name, *issued):
    path = folder / name
    path.write_bytes(b"".join(one.certificate.public_bytes(serialization.Encoding.PEM) for one in issued))
    return path


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()], ids=lambda curve: curve.name)
def test_certificates_go_both_ways_and_strangers_do_not(place, curve):
    root, other = issue("root", ca=True), issue("root", ca=True)
    middle = issue("middle", root, ca=True)
    signer = issue("signer", middle, key=new_key(curve))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (place / "signer.pem").write_bytes(signer.key.private_bytes(*form))
    roots, strangers = pem(place, "root.pem", root), pem(place, "other.pem", other)
    with model_folder(place / "model") as opened:
        sign_folder(opened, place / "model", SigningKey(signer.key), chain=[signer.der, middle.der])
    verifying = theirs.verifying.Config().use_certificate_verifier(certificate_chain=[roots])
    verifying.verify(place / "model", place / "model" / "model.sig")
    refusing = theirs.verifying.Config().use_certificate_verifier(certificate_chain=[strangers])
    with pytest.raises(Exception, match=r"[Cc]ertificate|verif|local issuer"):
        refusing.verify(place / "model", place / "model" / "model.sig")
    (place / "model" / "model.sig").unlink()
    signing = theirs.signing.Config().use_certificate_signer(
        private_key=place / "signer.pem",
        signing_certificate=pem(place, "own.pem", signer),
        certificate_chain=[pem(place, "middle.pem", middle)],
    )
    hashing = theirs.hashing.Config().set_ignored_paths(paths=["model.sig"])
    signing.set_hashing_config(hashing).sign(place / "model", place / "model" / "model.sig")
    at = START + timedelta(days=1)
    checked = check_model(place / "model", Trust(authorities=Authorities([root.certificate], at)))
    assert checked.signer.subject == "CN=signer"
    with pytest.raises(VerificationFailed, match="no way leads"):
        check_model(place / "model", Trust(authorities=Authorities([other.certificate], at)))
    with pytest.raises(VerificationFailed, match="holds from"):  # they judge at its beginning, whatever the time
        check_model(place / "model", Trust(authorities=Authorities([root.certificate], END + timedelta(days=1))))


def test_a_key_on_p384_goes_both_ways(place):
    wide = SigningKey(new_key(ec.SECP384R1()))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (place / "key.pem").write_bytes(wide.key.private_bytes(*form))
    (place / "pub.pem").write_text(wide.public.pem)
    with model_folder(place / "model") as opened:
        sign_folder(opened, place / "model", wide)
    theirs_verifies(place)
    theirs_signs(place)
    ours_verifies(place, wide.public)


def test_a_key_in_a_token_signs_what_they_accept(place, software_token):
    from pkcs11 import Attribute, KeyType, Mechanism
    from pkcs11.util.ec import encode_named_curve_parameters

    where = TokenPlace(software_token.module, software_token.label, software_token.pin_file, "model")
    with pytest.raises(NotFound, match="holds no key model"):
        keyring.of_token(where)
    with Token(where).opened() as session:
        curve = session.create_domain_parameters(
            KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters("secp384r1")}, local=True
        )
        curve.generate_keypair(mechanism=Mechanism.EC_KEY_PAIR_GEN, store=True, label="model")
    held = keyring.of_token(where)
    assert (held.custody, held.key.public.algorithm) == ("pkcs11", "ecdsa-p384-sha384")
    with model_folder(place / "model") as opened:
        sign_folder(opened, place / "model", held.key)
    (place / "pub.pem").write_text(held.key.public.pem)
    theirs_verifies(place)
    assert ours_verifies(place, held.key.public)


def test_securesystemslib_accepts_the_envelope_and_refuses_another(place):
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import SSlibKey

    ours_signs(place)
    document = json.loads((place / "model" / "model.sig").read_bytes())["dsseEnvelope"]
    hint = key().public.hint
    document["signatures"][0]["keyid"] = hint  # it looks keys up by this, and no signature covers it
    public = SSlibKey(hint, "ecdsa", "ecdsa-sha2-nistp256", {"public": key().public.pem})
    stranger = SSlibKey(hint, "ecdsa", "ecdsa-sha2-nistp256", {"public": key(2).public.pem})
    assert Envelope.from_dict(json.loads(json.dumps(document))).verify([public], 1)
    document["signatures"][0]["keyid"] = hint
    with pytest.raises(VerificationError):
        Envelope.from_dict(json.loads(json.dumps(document))).verify([stranger], 1)
