"""Files for people: what age itself opens, streamed from verified chunks."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pyrage
import pytest

from ringfence.artifacts.export import export, recipients
from ringfence.artifacts.opening import open_dataset
from ringfence.artifacts.plain import new_file
from ringfence.kernel.errors import Conflict, MalformedInput, Unavailable, VerificationFailed
from ringfence.testing.artifacts import MemoryFolder, sealed_in_memory

FILES = {"a/" + "long" * 60 + ".csv": b"x,y\n" * 50_000, "empty": b"", "ü.txt": b"umlaut", "z": bytes(512)}
TOOLS = Path(__file__).parents[3] / ".tools" / "testing" / "root" / "usr" / "bin"


def exported(sealed, *to):
    folder = MemoryFolder()
    with open_dataset(sealed.vault, sealed.digest, 1, sealed.keyring) as dataset, folder.create("out") as sink:
        size = export(dataset, recipients(to), sink)
    assert size == sum(map(len, FILES.values()))
    return folder.files["out"]


def unpacked(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def test_each_recipient_opens_it():
    first, second, third = (pyrage.x25519.Identity.generate() for _ in range(3))
    data = exported(sealed_in_memory(FILES), str(first.to_public()), str(second.to_public()))
    for identity in (first, second):
        assert unpacked(pyrage.decrypt(data, [identity])) == FILES
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(data, [third])
    assert all(content[:40] not in data for content in FILES.values() if len(content) > 40)


def test_a_changed_chunk_ends_it_with_the_file_and_the_chunk_and_leaves_no_file(tmp_path):
    sealed = sealed_in_memory(FILES)
    name = max(sealed.vault.files, key=lambda name: len(sealed.vault.files[name]))
    data = bytearray(sealed.vault.files[name])
    data[-1] ^= 1
    sealed.vault.files[name] = bytes(data)
    to = recipients([str(pyrage.x25519.Identity.generate().to_public())])
    with (
        open_dataset(sealed.vault, sealed.digest, 1, sealed.keyring) as dataset,
        pytest.raises(VerificationFailed, match=r"\.csv, chunk 3"),
        new_file(tmp_path / "out.age") as sink,
    ):
        export(dataset, to, sink)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_as_ours():
    class Full:
        def write(self, data):
            del data
            raise Unavailable("the disk is full")

    sealed, to = sealed_in_memory(FILES), recipients([str(pyrage.x25519.Identity.generate().to_public())])
    with (
        open_dataset(sealed.vault, sealed.digest, 1, sealed.keyring) as dataset,
        pytest.raises(Unavailable, match="the disk is full"),
    ):
        export(dataset, to, Full())


def test_a_file_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "out").write_bytes(b"precious")
    with pytest.raises(Conflict, match="exists already"), new_file(tmp_path / "out"):
        pass
    assert (tmp_path / "out").read_bytes() == b"precious"


@pytest.mark.parametrize("to", [[], ["age1nothing"], ["ssh-rsa x"], ["/etc/passwd"], ["x"] * 21])
def test_what_is_no_recipient(to):
    with pytest.raises(MalformedInput, match="recipient"):
        recipients(to)


@pytest.mark.skipif(
    not (TOOLS / "age").exists() and not shutil.which("age"), reason="age is not there: make test-tools"
)
def test_age_of_debian_opens_ours_and_we_open_what_it_writes(tmp_path):
    age = shutil.which("age") or str(TOOLS / "age")
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(f"{identity}\n")
    (tmp_path / "ours.age").write_bytes(exported(sealed_in_memory(FILES), str(identity.to_public())))
    done = subprocess.run([age, "-d", "-i", tmp_path / "key", tmp_path / "ours.age"], capture_output=True, check=True)
    assert unpacked(done.stdout) == FILES
    command = [age, "-r", str(identity.to_public())]
    theirs = subprocess.run(command, input=done.stdout, capture_output=True, check=True).stdout
    assert unpacked(pyrage.decrypt(theirs, [identity])) == FILES


@pytest.mark.parametrize(
    "text",
    [
        str(pyrage.x25519.Identity.generate()),
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r",
        "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t",
        "ssh-ed25519 AAAAsecret",
        "@/etc/passwd",
    ],
    ids=["identity", "private key", "plugin", "ssh", "path"],
)
def test_what_is_no_recipient_is_named_by_its_number_and_never_shown(text):
    with pytest.raises(MalformedInput, match=r"recipient 2 is no public key") as caught:
        recipients([str(pyrage.x25519.Identity.generate().to_public()), text])
    assert text[5:30] not in str(caught.value)
