"""Codes of other frameworks, and the threats: what a control or a threat names exists in the edition that it names."""

import json
import re
from pathlib import Path

import pytest

from ringfence.obligations import catalog, reading

CATALOG = catalog.load()
FRAMEWORKS = {one["id"]: one for one in reading.read("crosswalk.yaml").value["frameworks"]}
THREATS = reading.read("threats.yaml").value
ACTS = {"nis2", "ir_2024_2690", "ai_act", "cra", "gdpr", "dora"}
GOLDEN = json.loads((Path(__file__).parents[1] / "vectors" / "law" / "crosswalk.json").read_text("utf-8"))


def codes(framework):
    return set(FRAMEWORKS[framework].get("codes") or FRAMEWORKS[framework]["titles"])


@pytest.mark.parametrize("control", CATALOG.controls, ids=lambda control: control.id)
def test_every_code_that_a_control_names_exists(control):
    for framework, named in control.maps.items():
        if framework not in ACTS:
            assert set(named) <= codes(framework)


def test_a_code_that_does_not_exist_would_be_found():
    assert not {"A.5.38", "OPS-25", "19.7", "LLM11:2025", "AML.T9999"} & set().union(*map(codes, FRAMEWORKS))


@pytest.mark.parametrize("framework", GOLDEN["frameworks"])
def test_names_editions_and_sizes_are_golden(framework):
    one = FRAMEWORKS[framework]
    assert [one["edition"], one["status"], one["source"], len(codes(framework))] == GOLDEN["frameworks"][framework]


@pytest.mark.parametrize("framework", GOLDEN["titles"])
def test_titles_of_the_law_reference_are_golden(framework):
    titles = FRAMEWORKS[framework]["titles"]
    assert {code: titles.get(code) for code in GOLDEN["titles"][framework]} == GOLDEN["titles"][framework]


def test_no_framework_is_left_out_of_the_golden_file():
    assert set(FRAMEWORKS) == set(GOLDEN["frameworks"])


def test_one_number_means_another_risk_in_another_edition_of_owasp():
    assert {
        edition: FRAMEWORKS[f"owasp_llm_{edition}"]["titles"][f"LLM03:{edition}"] for edition in ("2025", "2026")
    } == {
        "2025": "Supply Chain",
        "2026": "Excessive Agency",
    }
    for edition in ("2025", "2026"):
        assert {code.partition(":")[2] for code in codes(f"owasp_llm_{edition}")} == {edition}


def test_there_are_the_thirty_threats_of_the_law_reference():
    assert [threat["id"] for threat in THREATS["threats"]] == [f"T{number:02}" for number in range(1, 31)]


@pytest.mark.parametrize("threat", THREATS["threats"], ids=lambda threat: threat["id"])
def test_whatever_a_threat_names_exists(threat):
    assert THREATS["meta"]["atlas"] == FRAMEWORKS["atlas"]["edition"]
    named = {"atlas": "atlas", "owasp_2025": "owasp_llm_2025", "owasp_2026": "owasp_llm_2026"}
    named |= {"asi": "owasp_asi_2026", "ml": "owasp_ml_2023"}
    for key, framework in named.items():
        assert set(threat[key]) <= codes(framework)
    assert set(threat["law"]) <= set(CATALOG.obligations)
    assert set(threat["assets"]) <= set(THREATS["assets"])
    assert not set(threat["atlas"]) & set(FRAMEWORKS["atlas"]["renumbered"])
    assert len(threat["owasp_2025"]) == len(threat["owasp_2026"])


@pytest.mark.parametrize("threat", THREATS["threats"], ids=lambda threat: threat["id"])
def test_every_control_of_a_threat_exists(threat):
    assert set(threat["controls"]) <= {control.id for control in CATALOG.controls}


def test_the_rows_are_those_of_the_golden_file():
    rows = {t["id"]: [t["title"], t["stages"], t["atlas"], t["law"], t["controls"]] for t in THREATS["threats"]}
    assert rows == GOLDEN["threats"]


def test_both_editions_of_a_threat_name_the_same_risks():
    renamed = {"System Prompt Leakage": "Hidden Context Exposure"}
    for threat in THREATS["threats"]:
        old = [FRAMEWORKS["owasp_llm_2025"]["titles"][code] for code in threat["owasp_2025"]]
        new = [FRAMEWORKS["owasp_llm_2026"]["titles"][code] for code in threat["owasp_2026"]]
        assert [renamed.get(title, title) for title in old] == new, threat["id"]


def test_stages_of_enisa_are_stages_of_ours():
    for one in FRAMEWORKS.values():
        assert set(one.get("stages", {}).values()) <= set(THREATS["stages"])
        assert "stages" not in one or set(one["stages"]) == codes(one["id"])


def test_no_sentence_of_others_is_copied():
    for one in FRAMEWORKS.values():
        assert all(
            len(title.split()) <= 10 and not re.search(r"\.\s|\.$", title) for title in one.get("titles", {}).values()
        )
    assert not [name for name in ("iso_27001_2022", "bsi_c5_2020", "secnumcloud_3_2") if "titles" in FRAMEWORKS[name]]
