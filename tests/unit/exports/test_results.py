"""Findings are computed, and only what is satisfied is called so."""

from dataclasses import replace

from ringfence.exports.results import results
from ringfence.obligations.results import Reason, State, Verdict


def findings(facts):
    (result,) = results(facts)["assessment-results"]["results"]
    return {one["target"]["target-id"]: one for one in result["findings"]}


def test_only_what_is_satisfied_is_satisfied(facts):
    made = findings(facts)
    assert facts.assessed
    for result in facts.assessed:
        status = made[f"{result.control.id.lower()}_smt"]["target"]["status"]
        assert (status["state"] == "satisfied") == (result.verdict.state is State.SATISFIED)
        assert (status["reason"] == "pass") == (result.verdict.state is State.SATISFIED)
        for part in facts.counted(result):
            status = made[f"{part.requirement.id}_obj"]["target"]["status"]
            assert (status["state"] == "satisfied") == (part.verdict.state is State.SATISFIED)


def test_stale_missing_and_failed_are_not_satisfied_each_with_its_reason(facts):
    made = findings(facts)
    seen = set()
    for result in facts.assessed:
        for part in facts.counted(result):
            if part.verdict.reason is not None:
                status = made[f"{part.requirement.id}_obj"]["target"]["status"]
                assert status["remarks"].startswith(f"{part.verdict.reason.value}: ")
                assert status["reason"] == ("fail" if part.verdict.reason is Reason.FAILED else "other")
                seen.add(part.verdict.reason)
    assert {Reason.STALE, Reason.MISSING, Reason.FAILED} <= seen


def test_nothing_is_found_about_controls_that_do_not_apply(facts):
    out = [r.control.id for r in facts.board.controls if r.verdict.state in (State.NOT_APPLICABLE, State.UPCOMING)]
    assert out
    assert not {f"{name.lower()}_smt" for name in out} & set(findings(facts))


def test_no_finding_is_about_an_obligation(facts):
    assert not {f"{name}_smt" for name in facts.catalog.obligations} & set(findings(facts))


def test_every_finding_about_a_control_names_its_obligations_and_what_it_does_not_prove(facts):
    made = findings(facts)
    for result in facts.assessed:
        found = made[f"{result.control.id.lower()}_smt"]
        named = [one["value"] for one in found["props"] if one["name"] == "obligation"]
        assert named == list(result.control.obligations)
        assert result.control.does_not_prove[0] in found["remarks"]


def test_an_empty_tenant_has_findings_and_not_one_is_satisfied(empty):
    states = {one["target"]["status"]["state"] for one in findings(empty).values()}
    assert states == {"not-satisfied"}


def test_the_denominator_stands_in_words(facts):
    (result,) = results(facts)["assessment-results"]["results"]
    assert f"of {facts.board.denominator} controls" in result["description"]


def test_what_is_set_aside_is_counted_in_both_ways(facts):
    first, *rest = facts.board.controls
    aside = replace(first, verdict=Verdict(State.NOT_APPLICABLE, "set aside"), set_aside=True)
    board = replace(facts.board, controls=(aside, *rest))
    (result,) = results(replace(facts, board=board))["assessment-results"]["results"]
    whole = f"with these it is {board.count(State.SATISFIED)} of {board.denominator + 1}"
    assert result["description"].endswith(f"1 are set aside by signed reasons; {whole}.")
