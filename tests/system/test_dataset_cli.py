"""`ringfence dataset`, as a person and a data loader use it: a real home; the loader is a process of its own."""

import json
import os
import subprocess
import sys

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
    (made.folder / "src").mkdir()
    (made.folder / "src" / "a.csv").write_text("x\n" + "1\n" * 100_000)
    (made.folder / "told.yaml").write_text("licence: CC-BY-4.0\nsource: the archive\n")
    return made


def test_a_dataset_from_seal_to_tampering(shell):
    folder = shell.folder
    assert "No dataset" in shell("dataset", "list")
    options = ("--provenance", folder / "told.yaml", "--chunk-size", 65536, "--json")
    sealed = shell("dataset", "seal", folder / "src", "claims", *options)
    assert sealed.keys() >= {"dataset", "name", "epoch", "objects", "bytes", "ciphertext_root", "seal", "statement"}
    for mode in ("storage", "audit"):
        assert shell("dataset", "verify", "claims", "--mode", mode, "--json")["result"] == "pass"
    shell("dataset", "open", "claims", folder / "out", "--purpose", "train")
    assert (folder / "out" / "a.csv").read_bytes() == (folder / "src" / "a.csv").read_bytes()
    read = shell.python("-c", READ, "sealed://claims/a.csv")
    assert read.stdout.strip() == "100000", read.stderr
    assert [row["epoch"] for row in shell("dataset", "list", "--json")["datasets"]] == [1]

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
