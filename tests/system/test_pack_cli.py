"""`ringfence report pack` and `ringfence verify`, as a person runs them."""

import json
import os
import subprocess
import sys

import pytest

from ringfence.kernel.actor import Role
from ringfence.testing.home import make


def ringfence(*arguments, env):
    """Run one command; return exit code, standard output, standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "ringfence", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", **env},
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs")
    home = make(folder / "home")
    code, out, err = ringfence("report", "pack", "-o", folder / "a.pack", "--json", env=home.environment())
    assert code == 0, err
    assert json.loads(out)["records"] > 0
    return folder, home


def test_a_pack_verifies_in_an_empty_home_and_the_status_follows(exported, tmp_path):
    folder, home = exported
    trust = home.path / "trust.json"
    code, out, err = ringfence(
        "verify", folder / "a.pack", "--trust", trust, "--recompute", "--json", env={"RINGFENCE_HOME": str(tmp_path)}
    )
    document = json.loads(out)
    assert (code, document["ok"], document["failures"]) == (0, True, []), err
    assert any("follows from the records" in notice for notice in document["notices"])
    assert not list(tmp_path.iterdir())


def test_without_trust_it_is_self_consistent_only(exported, tmp_path):
    folder, _ = exported
    code, out, _ = ringfence("verify", folder / "a.pack", env={"RINGFENCE_HOME": str(tmp_path)})
    assert code == 1
    assert "SELF-CONSISTENT ONLY" in out
    assert "rebuild or rollback not excluded" in out


def test_a_changed_letter_names_its_record(exported, tmp_path):
    folder, home = exported
    data = (folder / "a.pack").read_bytes()
    (tmp_path / "b.pack").write_bytes(data.replace(b'"custody":"file-plain"', b'"custody":"file-plaim"', 1))
    code, out, _ = ringfence("verify", tmp_path / "b.pack", "--trust", home.path / "trust.json", env={})
    assert code == 1
    assert "record 1 (key.enrolled, entry 0)" in out


@pytest.mark.parametrize(
    "arguments", [["none.pack"], ["a.pack", "--trust", "none.json"], ["a.pack", "--trust", "a.pack"]]
)
def test_what_cannot_be_read_is_a_usage_error(exported, arguments):
    folder, _ = exported
    named = [folder / a if "." in a else a for a in arguments]
    code, out, err = ringfence("verify", *named, env={})
    assert (code, out) == (2, "")
    assert err.startswith("ringfence: ")


def test_a_pack_is_not_overwritten_unless_told(exported, tmp_path):
    _, home = exported
    target = tmp_path / "x.pack"
    target.write_text("mine", encoding="utf-8")
    code, _, err = ringfence("report", "pack", "-o", target, env=home.environment())
    assert code == 2
    assert "--force" in err
    assert target.read_text(encoding="utf-8") == "mine"
    assert ringfence("report", "pack", "-o", target, "--force", env=home.environment())[0] == 0
    assert ringfence("verify", target, "--trust", home.path / "trust.json", env={})[0] == 0


def test_whoever_may_not_export_is_refused_and_no_file_appears(exported, tmp_path):
    _, home = exported
    code, _, err = ringfence("report", "pack", "-o", tmp_path / "x.pack", env=home.environment(Role.ENGINEER))
    assert code == 3, err
    assert not list(tmp_path.iterdir())
