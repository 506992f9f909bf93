"""Models that we sign and that model-signing, the reference tool, signs: each accepts and refuses the other's."""

import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization

from ringfence.artifacts.models.blobs import model_folder, verified
from ringfence.artifacts.models.store import sign_folder
from ringfence.kernel.errors import VerificationFailed
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


def test_their_shards_and_exemptions_are_refused_with_a_sentence(place):
    def sign(hashing):
        hashing.set_ignored_paths(paths=["model.sig", *exempt])
        config = theirs.signing.Config().use_elliptic_key_signer(private_key=place / "key.pem")
        config.set_hashing_config(hashing).sign(place / "model", place / "model" / "model.sig")

    exempt = []
    sign(theirs.hashing.Config().use_shard_serialization())
    with pytest.raises(VerificationFailed, match="shards"):
        ours_verifies(place)
    exempt = ["config.json"]
    sign(theirs.hashing.Config().use_file_serialization())
    theirs_verifies(place)
    with pytest.raises(VerificationFailed, match=r"ignore 'config\.json'"):
        ours_verifies(place)
    exempt = []
    sign(theirs.hashing.Config().use_file_serialization(hashing_algorithm="blake2"))
    with pytest.raises(VerificationFailed, match="SHA-256"):
        ours_verifies(place)
