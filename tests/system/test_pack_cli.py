"""`ringfence report pack` and `ringfence verify`, as a person runs them."""

import hashlib
import json
import subprocess
import sys

import pytest

from ringfence.kernel.actor import Role
from ringfence.testing.home import make


@pytest.fixture(scope="module")
def exported(tmp_path_factory, ringfence):
    folder = tmp_path_factory.mktemp("packs")
    home = make(folder / "home")
    code, out, err = ringfence("report", "pack", "-o", folder / "a.pack", "--json", env=home.environment())
    assert code == 0, err
    assert json.loads(out)["records"] > 0
    return folder, home


def test_a_pack_verifies_in_an_empty_home_and_the_status_follows(exported, tmp_path, ringfence):
    folder, home = exported
    trust = home.path / "trust.json"
    code, out, err = ringfence(
        "verify", folder / "a.pack", "--trust", trust, "--recompute", "--json", env={"RINGFENCE_HOME": str(tmp_path)}
    )
    document = json.loads(out)
    assert (code, document["ok"], document["failures"]) == (0, True, []), err
    assert any("follows from the records" in notice for notice in document["notices"])
    assert not list(tmp_path.iterdir())


def test_without_trust_it_is_self_consistent_only(exported, tmp_path, ringfence):
    folder, _ = exported
    code, out, _ = ringfence("verify", folder / "a.pack", env={"RINGFENCE_HOME": str(tmp_path)})
    assert code == 1
    assert "SELF-CONSISTENT ONLY" in out
    assert "rebuild or rollback not excluded" in out


def test_a_changed_letter_names_its_record(exported, tmp_path, ringfence):
    folder, home = exported
    data = (folder / "a.pack").read_bytes()
    (tmp_path / "b.pack").write_bytes(data.replace(b'"custody":"file-plain"', b'"custody":"file-plaim"', 1))
    code, out, _ = ringfence("verify", tmp_path / "b.pack", "--trust", home.path / "trust.json", env={})
    assert code == 1
    assert "record 1 (key.enrolled, entry 0)" in out


@pytest.mark.parametrize(
    "arguments", [["none.pack"], ["a.pack", "--trust", "none.json"], ["a.pack", "--trust", "a.pack"]]
)
def test_what_cannot_be_read_is_a_usage_error(exported, arguments, ringfence):
    folder, _ = exported
    named = [folder / a if "." in a else a for a in arguments]
    code, out, err = ringfence("verify", *named, env={})
    assert (code, out) == (2, "")
    assert err.startswith("ringfence: ")


def test_a_pack_is_not_overwritten_unless_told(exported, tmp_path, ringfence):
    _, home = exported
    target = tmp_path / "x.pack"
    target.write_text("mine", encoding="utf-8")
    code, _, err = ringfence("report", "pack", "-o", target, env=home.environment())
    assert code == 2
    assert "--force" in err
    assert target.read_text(encoding="utf-8") == "mine"
    assert ringfence("report", "pack", "-o", target, "--force", env=home.environment())[0] == 0
    assert ringfence("verify", target, "--trust", home.path / "trust.json", env={})[0] == 0


def test_whoever_may_not_export_is_refused_and_no_file_appears(exported, tmp_path, ringfence):
    _, home = exported
    code, _, err = ringfence("report", "pack", "-o", tmp_path / "x.pack", env=home.environment(Role.ENGINEER))
    assert code == 3, err
    assert not list(tmp_path.iterdir())


def test_a_pack_about_one_control_shows_the_rest_as_digests_and_its_status_follows(exported, tmp_path, ringfence):
    _, home = exported
    pack = tmp_path / "one.pack"
    scope = ("--control", "IAM-01", "--predicate", "dataset.sealed")
    code, out, err = ringfence("report", "pack", "-o", pack, *scope, env=home.environment())
    assert code == 0, err
    header = json.loads(pack.read_bytes().splitlines()[0])
    assert header["openings"] == "none"
    assert header["scope"]["controls"] == ["IAM-01"]
    assert "dataset.sealed" in header["scope"]["predicates"]
    verify = ("verify", pack, "--trust", home.path / "trust.json", "--recompute", "--json")
    code, out, err = ringfence(*verify, env={"RINGFENCE_HOME": str(tmp_path / "nothing")})
    document = json.loads(out)
    assert code == 0, document["failures"]
    assert any("of which this pack holds digests only" in notice for notice in document["notices"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--control", "NO-99"), "there is no control 'NO-99'"),
        (("--openings", "some"), "openings are one of"),
        (("--predicate", "No Name"), "is not an evidence type"),
    ],
)
def test_what_is_no_scope_is_a_usage_error_and_nothing_is_written(exported, tmp_path, options, says, ringfence):
    _, home = exported
    found, out, err = ringfence("report", "pack", "-o", tmp_path / "x.pack", *options, env=home.environment())
    assert found != 0
    assert says in out + err
    assert not list(tmp_path.iterdir())


def test_the_zipapp_is_written_with_its_digest_and_checks_the_pack(exported, tmp_path, ringfence):
    folder, home = exported
    program = tmp_path / "recheck.pyz"
    code, out, err = ringfence("report", "zipapp", "-o", program, "--json", env={"RINGFENCE_HOME": str(tmp_path)})
    assert code == 0, err
    assert json.loads(out)["digest"] == f"sha256:{hashlib.sha256(program.read_bytes()).hexdigest()}"
    command = [program, folder / "a.pack", "--trust", home.path / "trust.json", "--recompute"]
    done = subprocess.run([sys.executable, "-I", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the status follows from the records" in done.stdout
    code, _, err = ringfence("report", "zipapp", "-o", program, env={"RINGFENCE_HOME": str(tmp_path)})
    assert (code, "exists" in err) == (2, True)
