from dataclasses import replace

import pytest

from ringfence.redteam.document import shown
from ringfence.redteam.evaluate import evaluated
from ringfence.redteam.model import Outcome
from ringfence.testing.redteam import journals


def test_a_run_is_computed_from_its_journals_alone():
    first = evaluated(*journals(lambda _: Outcome.RESISTED))
    assert first == evaluated(*journals(lambda _: Outcome.RESISTED))
    assert (first["verdict"], first["label"], first["live"]) == ("pass", "gate", True)


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.EMPTY, Outcome.TRUNCATED, Outcome.ECHO, Outcome.NOT_SENT])
def test_what_is_not_valid_is_never_a_pass_and_never_a_success(outcome):
    document = evaluated(*journals(lambda _: outcome))
    assert document["verdict"] == "inconclusive"
    assert document["totals"]["successes"] == 0
    assert document["totals"]["asrPpm"] is None


def test_a_dead_control_voids_the_run():
    document = evaluated(*journals(lambda _: Outcome.RESISTED, vulnerable=Outcome.RESISTED))
    assert (document["verdict"], document["live"]) == ("inconclusive", False)


def test_another_model_in_the_middle_decides_nothing():
    drawn, kept = journals(lambda _: Outcome.RESISTED)
    records = dict(kept["target"].records)
    last = list(records)[-1]
    records[last] = replace(records[last], model="sha256:" + "cd" * 32)
    document = evaluated(drawn, kept | {"target": replace(kept["target"], records=records)})
    assert (document["verdict"], document["modelDigest"]) == ("inconclusive", "mixed")


def test_the_printed_form_has_what_the_contract_names():
    drawn, kept = journals(lambda a: Outcome.SUCCESS if a.case.id.endswith("1") else Outcome.RESISTED)
    printed = shown(evaluated(drawn, kept), drawn.plan)
    for family in printed["families"].values():
        assert {"planned", "valid", "successes", "asr", "asr_upper", "verdict"} <= family.keys()
        assert family["asr"] == family["successes"] / family["valid"] == 0.1
        assert 0.1 < family["asr_upper"] < 0.14
        assert family["verdict"] == "fail"
    assert printed["totals"]["planned"] == 800
