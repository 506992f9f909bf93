"""Front ends show outcomes as they are: a waived condition is not shown as met."""

import pytest

from ringfence.testing.gating import GateLab
from ringfence.testing.home import TENANT
from ringfence.workloads.gating import shown


@pytest.fixture
def lab(services, home):
    return GateLab(services, home)


def test_a_judgement_shows_each_outcome_and_what_it_rests_on(lab):
    lab.decide(lab.bring())
    lab.signed()
    document = shown.judgement(lab.gates.judge(TENANT, lab.gates.about(TENANT, "tiny")))
    outcomes = {one["condition"]: one["outcome"] for one in document["conditions"]}
    assert (document["verdict"], outcomes["data"], outcomes["redteam"]) == ("fail", "waived", "unmet")
    assert document["unmet"] == ["redteam", "bom", "approval"]


def test_whether_the_signed_file_is_still_there_is_shown(lab):
    file = lab.gates.files(TENANT)
    assert shown.in_force(lab.gates.mode(TENANT), file)["same_file"] is False
    lab.enforce()
    document = shown.in_force(lab.gates.mode(TENANT), file)
    assert (document["mode"], document["same_file"], document["policy_signed"]) == ("enforce", True, str(file.digest))


def test_a_model_that_was_never_judged_says_so(lab, home):
    lab.signed()
    (model,) = lab.gates.signed(TENANT)
    assert shown.stated(model, lab.gates.verdict(TENANT, model.digest))["verdict"] is None
    lab.gates.state(home.actor(), "tiny")
    assert shown.stated(model, lab.gates.verdict(TENANT, model.digest))["verdict"]["verdict"] == "fail"
