"""`ringfence report oscal`, `soa` and `csv`, as a person runs them."""

import csv
import json

import pytest

from ringfence.exports.kinds import Kind
from ringfence.exports.walk import walk
from ringfence.testing.home import make


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return make(tmp_path_factory.mktemp("exports") / "home")


def test_the_folder_holds_together_and_is_not_overwritten(home, tmp_path, ringfence):
    code, out, err = ringfence("report", "oscal", "-o", tmp_path / "o", "--json", env=home.environment())
    assert code == 0, err
    files = {str(one.relative_to(tmp_path / "o")): one.read_bytes() for one in (tmp_path / "o").rglob("*.json")}
    assert {kind.file for kind in Kind} <= set(files)
    assert json.loads(out)["files"] == len(files)
    assert walk(files) == []
    code, _, err = ringfence("report", "oscal", "-o", tmp_path / "o", env=home.environment())
    assert code == 2
    assert "--force" in err


def test_one_model_is_one_file_of_the_time_that_was_asked_for(home, tmp_path, ringfence):
    asked = ("report", "oscal", "-o", tmp_path, "--model", "assessment-results", "--as-of", "2026-01-01T00:00:00Z")
    code, _, err = ringfence(*asked, env=home.environment())
    assert code == 0, err
    (one,) = tmp_path.iterdir()
    assert json.loads(one.read_text())["assessment-results"]["results"][0]["end"].startswith("2026-01-01")


def test_tables_are_written_for_spreadsheets_and_for_programs(home, tmp_path, ringfence):
    assert ringfence("report", "soa", "-o", tmp_path / "soa.json", env=home.environment())[0] == 0
    assert ringfence("report", "csv", "-o", tmp_path / "rules.csv", env=home.environment())[0] == 0
    document = json.loads((tmp_path / "soa.json").read_text())
    with (tmp_path / "rules.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert {line["control"] for line in lines} == {row["control"] for row in document["controls"]}
    code, _, err = ringfence("report", "soa", "-o", tmp_path / "soa.pdf", env=home.environment())
    assert (code, "says no format" in err) == (2, True)
