"""`ringfence dataset`, as a person and a data loader use it: a real home; the loader is a process of its own."""

import io
import json
import os
import subprocess
import sys
import tarfile

import pytest

from ringfence.testing.program import called

READ = "import pandas, sys; print(len(pandas.read_csv(sys.argv[1])))"


class Shell:
    def __init__(self, folder):
        self.folder = folder
        self.environment = os.environ | {"RINGFENCE_HOME": str(folder / "home")}

    def python(self, *arguments):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=120)

    def __call__(self, *arguments, code=0):
        done = called(self.environment, *map(str, arguments))
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout) if "--json" in arguments and done.stdout else done.stdout + done.stderr


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    made = Shell(tmp_path_factory.mktemp("dataset"))
    made("init")
    assert "No dataset" in made("dataset", "list")
    (made.folder / "src").mkdir()
    (made.folder / "src" / "a.csv").write_text("x\n" + "1\n" * 100_000)
    (made.folder / "told.yaml").write_text("licence: CC-BY-4.0\nsource: the archive\n")
    return made


def test_a_dataset_from_seal_to_tampering(shell):
    folder = shell.folder
    options = ("--provenance", folder / "told.yaml", "--chunk-size", 65536, "--json")
    sealed = shell("dataset", "seal", folder / "src", "claims", *options)
    assert sealed.keys() >= {"dataset", "name", "epoch", "objects", "bytes", "ciphertext_root", "seal", "statement"}
    for mode in ("storage", "audit"):
        assert shell("dataset", "verify", "claims", "--mode", mode, "--json")["result"] == "pass"
    shell("dataset", "open", "claims", folder / "out", "--purpose", "train")
    assert (folder / "out" / "a.csv").read_bytes() == (folder / "src" / "a.csv").read_bytes()
    read = shell.python("-c", READ, "sealed://claims/a.csv")
    assert read.stdout.strip() == "100000", read.stderr
    rows = shell("dataset", "list", "--json")["datasets"]
    assert [row["epoch"] for row in rows if row["name"] == "claims"] == [1]

    objects = folder / "home" / "datasets" / sealed["dataset"] / "1" / "objects"
    big = max(objects.iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(big.read_bytes())
    data[128 + 65536 + 16 + 7] ^= 1
    big.write_bytes(data)
    found = shell("dataset", "verify", "claims", "--mode", "audit", "--json", code=1)
    assert [(failure["path"], failure["chunk"]) for failure in found["failed"]] == [("a.csv", 1)]
    assert "a.csv, chunk 1" in shell("dataset", "open", "claims", folder / "again", code=1)
    assert not [path for path in folder.iterdir() if "again" in path.name]


def test_mistakes_end_with_code_2_and_one_sentence(shell):
    folder = shell.folder
    (folder / "bad.yaml").write_text("licence: MIT\nlicence: MIT\n")
    for arguments in (
        ("seal", folder / "nothing", "other"),
        ("seal", folder / "src", "Bad Name"),
        ("seal", folder / "src", "other", "--provenance", folder / "bad.yaml"),
        ("open", "unknown", folder / "src"),
        ("verify", "unknown"),
    ):
        assert shell("dataset", *arguments, code=2).startswith("ringfence: ")


def test_two_epochs_an_erasure_and_whoever_only_stores_the_folder(shell):
    folder = shell.folder
    (folder / "more").mkdir()
    (folder / "more" / "a.csv").write_text("x\n1\n")
    first = shell("dataset", "seal", folder / "more", "kept", "--workers", "2", "--json")
    (folder / "more" / "a.csv").write_text("x\n2\n")
    shell("dataset", "seal", folder / "more", "kept")
    rows = [row for row in shell("dataset", "list", "--epochs", "--json")["epochs"] if row["name"] == "kept"]
    assert [(row["epoch"], row["erasure"], row["here"]) for row in rows] == [(1, None, True), (2, None, True)]
    shell("dataset", "open", "kept", folder / "old", "--epoch", "1")
    assert (folder / "old" / "a.csv").read_text() == "x\n1\n"
    assert shell("dataset", "verify", "kept", "--epoch", "1", "--mode", "audit", "--json")["epoch"] == 1
    assert "its newest is 2" in shell("dataset", "open", "kept", folder / "x", "--epoch", "3", code=2)

    erased = shell("dataset", "erase", "kept", "--epoch", "1", "--because", "the contract ended", "--json")
    assert [one["place"] for one in erased["wrappings"]] == ["key.json"]
    assert "was erased" in shell("dataset", "open", "kept", folder / "x", "--epoch", "1", code=3)
    read = shell.python("-c", READ, "sealed://kept@1/a.csv")
    assert "epoch 1 of kept was erased" in read.stderr
    assert shell("dataset", "verify", "kept", "--epoch", "1", "--json")["result"] == "pass"
    assert shell("dataset", "verify", "kept", "--mode", "audit", "--json")["epoch"] == 2
    assert "erased" in shell("dataset", "list", "--epochs")
    again = shell("dataset", "erase", "kept", "--epoch", "1", "--because", "again", code=2)
    assert "was erased already" in again

    stored, said, trust = (
        folder / "home" / "datasets" / first["dataset"],
        folder / "said.json",
        folder / "home" / "trust.json",
    )
    shell("dataset", "statements", "kept", "-o", said)
    elsewhere = Shell(folder)
    elsewhere.environment = os.environ | {"RINGFENCE_HOME": str(folder / "nowhere")}
    offline = ("dataset", "verify", "--folder", stored, "--statements", said, "--trust", trust)
    found = elsewhere(*offline, "--json")
    assert [(row["epoch"], row["failed"]) for row in found["epochs"]] == [(1, []), (2, [])]
    assert elsewhere("dataset", "verify", "--folder", stored / "2", *offline[4:], "--json")["result"] == "pass"
    (stored / "2").rename(folder / "away")
    assert "its folder is missing" in elsewhere(*offline, code=1)
    (stored / "1").rename(stored / "2")
    assert "rolled back" in elsewhere(*offline, code=1)
    (stored / "2").rename(stored / "1")
    (folder / "away").rename(stored / "2")
    assert "offline name --folder" in elsewhere("dataset", "verify", "--folder", stored, code=2)


def test_files_for_people(shell):
    import pyrage

    folder, identity = shell.folder, pyrage.x25519.Identity.generate()
    (folder / "papers").mkdir()
    (folder / "papers" / "a.txt").write_text("for you")
    shell("dataset", "seal", folder / "papers", "papers")
    out = folder / "papers.age"
    shell("dataset", "export", "papers", "--to", identity.to_public(), "-o", out, "--purpose", "handover")
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(out.read_bytes(), [identity]))) as tar:
        assert tar.extractfile("a.txt").read() == b"for you"
    assert "recipient" in shell("dataset", "export", "papers", "--to", "nobody", "-o", folder / "x", code=2)
    assert "exists already" in shell("dataset", "export", "papers", "--to", identity.to_public(), "-o", out, code=2)
