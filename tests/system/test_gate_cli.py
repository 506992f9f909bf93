"""Models from outside, the gate, and drills, as people use them: one person brings in, another decides."""

import json
from pathlib import Path

import pytest

from ringfence.artifacts.models import oms
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.testing.models import HOSTILE
from ringfence.testing.program import called

SAID = ("--licence", "MIT", "--owner", "Exemple SA", "--country", "FR", "--from", "a disk")


@pytest.fixture
def ringfence(home_now):
    """Run a verb as somebody; give its document."""

    def run(*arguments, role=Role.ENGINEER, code=0):
        done = called(home_now.environment(role), *map(str, arguments), "--json")
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "tiny"
    made.mkdir()
    (made / "README.md").write_bytes(b"# Tiny\n")
    (made / "config.json").write_bytes(b"{}")
    (made / "vocabulary").write_bytes(b"a b c")
    return made


def digest_of(folder):
    return oms.manifest_of("", {path.name: Digest.of(path.read_bytes()) for path in folder.iterdir()}).digest


def test_a_model_from_outside_waits_is_let_in_and_judged(ringfence, folder, home_now, tmp_path):
    expected = digest_of(folder)
    brought = ringfence("model", "intake", folder, "tiny", "--digest", expected, *SAID)
    assert (brought["digest"], brought["verdict"], brought["not_acceptable"]) == (str(expected), "clean", "")
    assert "nobody has decided" in ringfence("model", "sign", folder, "--as", "tiny", code=3)["error"]["message"]
    assert not (folder / "model.sig").exists()  # what the log does not take is not signed beside the files either
    part = tmp_path / "part"
    part.mkdir()
    (part / "renamed.bin").write_bytes((folder / "vocabulary").read_bytes())
    said = ringfence("model", "sign", part, "--as", "mine", code=3)["error"]["message"]
    assert "'renamed.bin': these bytes came from outside" in said
    assert not (part / "model.sig").exists()
    ringfence("model", "release", "tiny", code=3)
    assert [one["state"] for one in ringfence("model", "waiting")["intakes"]] == ["waiting"]
    ringfence("model", "decide", "tiny", "--accept", "--because", "read", code=3)  # engineers decide nothing
    done = ringfence("model", "decide", "tiny", "--accept", "--because", "read", role=Role.SECURITY)
    assert done["state"] == "accepted"
    released = ringfence("model", "release", "tiny")
    assert (Path(released["path"]) / "model.sig").is_file()
    assert not (home_now.path / "quarantine" / "tiny").exists()
    judged = ringfence("gate", "tiny", code=1)
    outcomes = {one["condition"]: one["outcome"] for one in judged["conditions"]}
    assert outcomes == {
        "signed": "met", "data": "waived", "lineage": "met", "scan": "met",
        "redteam": "unmet", "bom": "unmet", "approval": "unmet",
    }  # fmt: skip
    ringfence("gate", "tiny", "--approve", "--because", "tried it", role=Role.SECURITY)
    ringfence("gate", "tiny", "--approve", "--because", "tried it", role=Role.OWNER)
    assert ringfence("gate", "tiny", code=1)["unmet"] == ["redteam", "bom"]
    assert ringfence("gate", "--mode", "enforce", role=Role.SECURITY)["mode"] == "enforce"
    assert ringfence("gate")["in_force"]["same_file"] is True


def test_other_bytes_and_hostile_ones_stay_out(ringfence, folder, home_now):
    refused = ringfence("model", "intake", folder, "tiny", "--digest", Digest.of(b"x"), *SAID, code=1)
    assert "demanded" in refused["error"]["message"]
    assert not (home_now.path / "quarantine" / "tiny").exists()
    (folder / "model.bin").write_bytes(HOSTILE["os.system"])
    brought = ringfence("model", "intake", folder, "tiny", "--digest", digest_of(folder), *SAID, code=1)
    assert brought["verdict"] == "refused"
    said = ringfence("model", "decide", "tiny", "--accept", "--because", "x", role=Role.SECURITY, code=3)
    assert "scan says refused" in said["error"]["message"]
    assert ringfence("model", "decide", "tiny", "--refuse", "--because", "x", role=Role.SECURITY)["state"] == "refused"
    ringfence("model", "discard", "tiny")
    assert not (home_now.path / "quarantine" / "tiny").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("gate", "tiny", "--approve"),
        ("gate", "--approve", "--because", "x"),
        ("gate", "tiny", "--approve", "--withdraw", "--because", "x"),
        ("gate", "--mode", "off"),
        ("gate", "tiny", "--mode", "enforce"),
        ("gate", "nobody"),
        ("model", "decide", "nobody", "--accept", "--because", "x"),
        ("drill", "restore", "x", "--keys", "y", "--into", "z", "--rto", "soon"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(ringfence, arguments):
    assert ringfence(*arguments, role=Role.SECURITY, code=2)["error"]["message"]


def test_a_backup_comes_back_and_one_that_was_damaged_does_not(ringfence, folder, tmp_path):
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "rows.csv").write_bytes(b"a,b\n1,2\n" * 1000)
    ringfence("dataset", "seal", plain, "rows")
    ringfence("model", "import", folder, "tiny")
    target, keys = tmp_path / "backup", tmp_path / "keys"
    made = ringfence("backup", "make", target, "--keys", keys)
    assert (made["datasets"], made["models"], made["missing"]) == (1, 1, 0)
    drill = ("drill", "restore", target, "--keys", keys)
    done = ringfence(*drill, "--into", tmp_path / "place")
    assert (done["restored"], done["withinRto"], done["withinRpo"], done["lostSeconds"]) == (True, True, True, 0)
    assert not list(target.rglob("key.json"))
    victim = max((path for path in (target / "contents").rglob("*") if path.is_file()), key=lambda p: p.stat().st_size)
    victim.write_bytes(b"x" * victim.stat().st_size)
    failed = ringfence(*drill, "--into", tmp_path / "again", code=1)
    assert (failed["restored"], failed["damaged"]) == (False, 1)
    assert [one["predicate"] for one in ringfence("backup", "list")["backups"]] == [
        "backup.artifacts_restored", "backup.artifacts_restored", "backup.artifacts_made"
    ]  # fmt: skip
