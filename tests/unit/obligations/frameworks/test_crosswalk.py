import pytest

from ringfence.kernel.errors import NotFound
from ringfence.obligations import catalog
from ringfence.obligations.frameworks import crosswalk

RULES = catalog.load()
LISTS = crosswalk.load()


def paths(name):
    return crosswalk.paths(crosswalk.one(name, RULES), RULES)


def test_all_lists_of_the_file_are_there_with_edition_and_mark():
    assert {"iso_27001_2022", "bsi_c5_2020", "secnumcloud_3_2", "atlas", "owasp_llm_2025", "owasp_llm_2026"} <= set(
        LISTS
    )
    assert all(one.edition and one.source and one.verified_on and one.codes for one in LISTS.values())


@pytest.mark.parametrize("control", RULES.controls, ids=lambda control: control.id)
def test_every_code_that_a_control_names_leads_to_it(control):
    for name in set(control.maps) & set(LISTS):
        found = paths(name)
        assert all(control.id in found[code].controls for code in control.maps[name])


def test_a_code_that_no_control_names_leads_nowhere():
    named = {code for control in RULES.controls for code in control.maps["iso_27001_2022"]}
    assert set(paths("iso_27001_2022")) == named
    assert set(LISTS["iso_27001_2022"].codes) - named


def test_risks_lead_to_controls_through_threats():
    path = paths("owasp_llm_2026")["LLM01:2026"]
    assert path.threats == ("T07", "T08", "T09")
    assert path.controls == ("TST-03", "RSK-02")


def test_the_same_number_leads_elsewhere_in_another_edition():
    assert paths("owasp_llm_2025")["LLM03:2025"] != paths("owasp_llm_2026")["LLM03:2026"]


def test_a_technique_is_reached_by_its_parts_and_not_by_one_that_begins_alike():
    found = paths("atlas")
    assert "T12" in found["AML.T0024"].threats
    assert "T01" not in found["AML.T0010.003"].threats


def test_a_stage_of_a_life_cycle_leads_to_the_threats_of_our_stage():
    assert "T01" in paths("enisa_lifecycle_2021")["data-collection"].threats


def test_a_list_that_nothing_of_ours_is_mapped_to_has_no_path():
    assert paths("nist_ai_100_2_e2025") == {}


def test_an_act_is_a_list_of_what_asks_something():
    act = crosswalk.acts(RULES)["act-nis2"]
    duties = {name for name, one in RULES.obligations.items() if one.act == "NIS2" and one.kind == "duty"}
    assert set(act.codes) == duties
    assert paths("act-nis2")["nis2-21.2.g"].controls == ("HYG-01", "HYG-02")


def test_a_name_stands_once_with_its_edition():
    assert LISTS["iso_27001_2022"].title == "ISO/IEC 27001:2022, Annex A"
    assert LISTS["owasp_llm_2026"].title == "OWASP Top 10 for LLM Applications 2026"


def test_an_unknown_one_is_told_with_those_that_there_are():
    with pytest.raises(NotFound, match="act-nis2"):
        crosswalk.one("nist_csf", RULES)
