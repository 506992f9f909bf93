"""The shipped legal data: whole, consistent with itself, and named by a digest."""

import re
from importlib import resources

import pytest
import yaml

from ringfence.obligations.scope import rules

DATA = resources.files("ringfence.obligations") / "data"
LAW = rules.load()


def shipped(name):
    return yaml.safe_load((DATA / name).read_bytes())


def test_the_27_member_states():
    assert len(LAW.member_states) == 27
    assert all(state.source and state.verified_on for state in LAW.member_states.values())
    waiting = {code for code, state in LAW.member_states.items() if state.in_force is None}
    assert waiting == {"ES", "FR", "IE", "NL"}


def test_every_sector_of_both_annexes_has_a_type():
    sectors = shipped("sectors.yaml")
    wanted = {f"I.{row['no']}" for row in sectors["annex_I"]} | {f"II.{row['no']}" for row in sectors["annex_II"]}
    assert {kind.annex for kind in LAW.types if kind.annex} == wanted


def test_digital_types_come_from_the_sectors_file():
    for row in shipped("sectors.yaml")["ict_types"]:
        kind = LAW.activities[row["type"]].type
        assert (kind.annex, kind.has("ir_2690")) == (row["annex"], row["ir_2024_2690"])
        assert kind.has("main_establishment") == row["main_establishment_rule"]
        assert re.fullmatch(r"6\(\d+\)", kind.definition)


def test_2690_applies_to_as_many_types_as_the_regulation_lists():
    listed = shipped("nis2_2690.yaml")["meta"]["applies_to"]
    marked = [row for row in shipped("sectors.yaml")["ict_types"] if row["ir_2024_2690"]]
    assert len(listed) == len(marked) == 11


def test_dates_of_the_ai_act_agree_with_the_sectors_file():
    said = {row["class"]: str(row["applies_from"]) for row in shipped("sectors.yaml")["ai_act_risk_classes"]}
    dates = LAW.ai_act["dates"]
    assert said["high_risk_annex_III"] == dates["annex_iii"]
    assert said["high_risk_annex_I"] == dates["annex_i"]
    assert said["prohibited"].startswith(dates["prohibited"])
    assert said["prohibited"].endswith(dates["prohibited_new"])
    assert said["transparency"].startswith(dates["transparency"])
    assert said["transparency"].endswith(dates["marking_of_older_systems"])
    assert said["gpai"].startswith(dates["gpai"])
    assert said["gpai"].endswith(dates["gpai_placed_before"])


def test_core_functions_are_as_many_as_the_annexes_list():
    for row in shipped("sectors.yaml")["cra_classes"]:
        held = [name for name, kind in LAW.cra["core_functions"].items() if kind == row["class"]]
        assert len(held) == len(row.get("items", ["other"]))


@pytest.mark.parametrize("name", ["ai_act.yaml", "cra.yaml", "entity_types.yaml"])
def test_our_own_files_say_where_they_come_from(name):
    text = (DATA / name).read_text(encoding="utf-8")
    assert text.startswith("#")
    assert "Paraphrase, not legal advice." in text


def test_the_digest_names_every_file():
    assert set(rules.FILES) <= {entry.name for entry in DATA.iterdir()}
    assert str(LAW.digest).startswith("sha256:")


def test_samples_are_shipped():
    assert "hosted_inference_api" in rules.sample()
    assert "model_licence_only" in rules.sample("licence-only")
