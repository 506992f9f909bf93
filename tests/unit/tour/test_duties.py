"""The steps `scope` and `status` assert what they show."""

import pytest

from ringfence.kernel.errors import VerificationFailed
from ringfence.tour import duties

EXPECTED = {
    "category": "important",
    "provision": "NIS2 3(2), Annex I.8, 6(30)",
    "binds_2690": True,
    "jurisdiction": "DE",
    "supply_chain_duty_only": False,
    "high_risk_from": ["2027-12-02"],
}


def test_the_expected_answer_passes():
    duties._assert_expected(dict(EXPECTED))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("category", "essential"),
        ("provision", "NIS2 3(1)"),
        ("binds_2690", False),
        ("jurisdiction", "FR"),
        ("supply_chain_duty_only", True),
        ("high_risk_from", []),
    ],
)
def test_every_other_answer_fails_the_step(name, wrong):
    with pytest.raises(VerificationFailed):
        duties._assert_expected(EXPECTED | {name: wrong})


class Boards:
    """A stage whose status verb answers a fixed board."""

    def __init__(self, work, states):
        self.work = work
        self.states = states

    def expect(self, *arguments, **_by):
        if arguments[0] != "status":
            return {}
        controls = [
            {"id": str(i), "state": s, "because": "…", "reason": r, "requirements": []}
            for i, (s, _, r) in enumerate(s.partition(" ") for s in self.states)
        ]
        return {"controls": controls, "counts": {}, "anchored_outside_until": None}


def test_a_board_with_nothing_red_fails_the_step(tmp_path):
    with pytest.raises(VerificationFailed, match="both kinds"):
        duties.status(Boards(tmp_path, ["satisfied", "satisfied"]))


def test_a_board_with_nothing_green_fails_the_step(tmp_path):
    with pytest.raises(VerificationFailed, match="both kinds"):
        duties.status(Boards(tmp_path, ["not-satisfied failed"]))


def test_a_board_on_which_evidence_is_only_missing_fails_the_step(tmp_path):
    with pytest.raises(VerificationFailed, match="both kinds"):
        duties.status(Boards(tmp_path, ["satisfied", "not-satisfied missing"]))


def test_what_has_no_evidence_or_is_not_asked_is_counted_and_not_told(tmp_path):
    states = ["satisfied", "not-satisfied failed", *["not-satisfied missing"] * 90, "upcoming", "not-applicable"]
    facts = duties.status(Boards(tmp_path, [*states, "pending"]))
    assert list(facts["controls"]) == ["0", "1", "94"]
    assert list(facts["not_satisfied"]) == ["1"]
    assert facts["without any evidence"].startswith("90 more controls; ")
    assert "`ringfence status --all`" in facts["without any evidence"]


def test_the_reason_of_each_red_control_is_a_fact(tmp_path):
    facts = duties.status(Boards(tmp_path, ["satisfied", "not-satisfied"]))
    assert facts["not_satisfied"] == {"1": "…"}
