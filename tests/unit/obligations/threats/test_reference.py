import json
from pathlib import Path

from ringfence.obligations.reading import package_file
from ringfence.obligations.threats import reference as threats

FORM = json.loads(package_file("forms/threat.model.schema.json"))

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "threats.md"


def test_the_page_says_what_the_data_says():
    assert PAGE.read_text("utf-8") == threats.page(), "run `make reference`"


def test_whoever_fills_the_form_finds_every_threat_that_it_asks_about():
    asked = FORM["properties"]["threats"]["items"]["enum"]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in threats.page().splitlines() if line.startswith("| T")]
    assert rows == asked
    assert len(rows) == 30


def test_a_row_says_the_threat_its_evidence_and_its_controls():
    row = next(line for line in threats.page().splitlines() if line.startswith("| T01 "))
    assert "Training-data poisoning | collect, prepare | dataset" in row
    assert "LLM04:2025, LLM05:2026, ML02" in row
    assert row.endswith("DAT-01, DAT-02, DAT-04, TST-03 |")
