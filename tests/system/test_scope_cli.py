"""`ringfence scope FILE --json`: one document with the keys that were promised, and what is read and refused."""

import json
import subprocess

import pytest

from ringfence.obligations.scope.rules import sample
from ringfence.testing import program

KEYS = {"nis2", "binds_2690", "jurisdiction", "supply_chain_duty_only", "ai_act", "cra", "fines"}


@pytest.fixture
def scope(tmp_path):
    """Run the verb in this process, with a home that does not exist."""
    (tmp_path / "o.yaml").write_text(sample())
    home = {"RINGFENCE_HOME": str(tmp_path / "none")}
    return lambda *arguments: program.called(home, "scope", *map(str, arguments))


def test_one_document_with_the_promised_keys_and_no_home(scope, tmp_path):
    done = scope(tmp_path / "o.yaml", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert found.keys() >= KEYS
    assert {"category", "provision"} <= found["nis2"].keys()
    assert all({"system", "role", "class", "applies_from"} <= row.keys() for row in found["ai_act"])
    assert all({"product", "class"} <= row.keys() for row in found["cra"])
    assert not (tmp_path / "none").exists()


def test_what_is_undetermined_is_no_error(scope, tmp_path):
    (tmp_path / "o.yaml").write_text("name: x\n")
    done = scope(tmp_path / "o.yaml", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["nis2"]["category"], found["binds_2690"]) == (0, "undetermined", None)
    assert (found["jurisdiction"], found["supply_chain_duty_only"]) == ("undetermined", None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("name: x\nemployees: 60\n", "did you mean size: {staff"),
        ("name: x\nname: y\n", "stands twice"),
        ("name: x\nsize: {staff: &a 60}\n", "anchors and aliases are not accepted"),
        ("name: x\n#" + "x" * 300_000, "the limit is"),
        ("name: x\n#" + "x" * 5_000_000, "more than"),
    ],
)
def test_what_cannot_be_read_is_a_usage_error_in_one_sentence(scope, tmp_path, text, words):
    (tmp_path / "o.yaml").write_text(text)
    done = scope(tmp_path / "o.yaml", "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["exit_code"]) == (2, 2)
    assert words in error["message"]
    assert "Traceback" not in done.stderr


def test_a_folder_is_a_usage_error(scope, tmp_path):
    done = scope(tmp_path)
    assert (done.returncode, "is a folder" in done.stderr) == (2, True)


def test_standard_input_is_read_for_a_dash(tmp_path):
    asked = [*program.COMMAND, "scope", "-", "--json"]
    home = program.environment({"RINGFENCE_HOME": str(tmp_path / "none")})
    done = subprocess.run(asked, input=sample().encode(), env=home, capture_output=True, timeout=60, check=True)
    assert json.loads(done.stdout)["nis2"]["category"] == "important"
