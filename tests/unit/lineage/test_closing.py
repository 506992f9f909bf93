"""Every gap is named, and a whole story has none."""

import pytest

from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.lineage import closing
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import GapKind, Kind, Ref
from ringfence.testing.lineage import Tale, digest_of, whole


def told(tale, **changes):
    return Lineage.of(tale.tenant, tale.statements, **changes)


def of(tale, name, kind=Kind.MODEL, **limits):
    return closing.closure(told(tale), Ref(kind, digest_of(name)), **limits)


def kinds(closure):
    return [gap.kind for gap in closure.gaps]


def test_a_whole_story_is_closed_and_leads_to_the_data():
    found = of(whole(), "small", Kind.DEPLOYMENT)
    assert found.closed
    assert {ref.digest for ref in found.things if ref.kind is Kind.DATASET} == {
        digest_of("books"),
        digest_of("letters"),
    }
    assert found.ends == (Ref(Kind.MODEL, digest_of("base")),)
    assert found.entries == (3, 8)  # the run and the deployment: what is beside the way is not on it


def test_a_model_is_closed_without_being_served_or_tested():
    found = of(whole(), "tuned")
    assert found.closed
    assert len(found.things) == 5


def test_a_run_that_a_revoked_key_states_again_is_what_it_was():
    tale = whole()
    tale.run("tune", ["books"], "tuned", outcome="failed", standing=Standing.REVOKED)
    assert of(tale, "tuned").closed


def test_a_digest_that_nobody_stated_has_no_origin_and_no_signature():
    assert kinds(of(whole(), "another")) == [GapKind.NO_ORIGIN, GapKind.UNSIGNED]


def broken(change):
    tale = Tale()
    change(tale)
    return tale


CASES = {
    "a run that failed, and was stated again as one that did not": (
        lambda t: (
            *(t.seal("books"), t.run("r", ["books"], "m", outcome="failed")),
            *(t.run("r", ["books"], "m"), t.sign("m")),
        ),
        [GapKind.TWO_ORIGINS],
    ),
    "an input that nobody sealed": (
        lambda t: (t.run("r", ["books"], "m"), t.sign("m")),
        [GapKind.INPUT_UNSTATED],
    ),
    "an input that a revoked key sealed": (
        lambda t: (t.seal("books", standing=Standing.REVOKED), t.run("r", ["books"], "m"), t.sign("m")),
        [GapKind.INPUT_UNSTATED],
    ),
    "an erased dataset": (
        lambda t: (t.seal("books"), t.run("r", ["books"], "m"), t.sign("m"), t.erase("books")),
        [GapKind.DATASET_ERASED],
    ),
    "a model signed without a run": (lambda t: t.sign("m"), [GapKind.NO_ORIGIN]),
    "a model that nobody signed": (
        lambda t: (t.seal("books"), t.run("r", ["books"], "m")),
        [GapKind.UNSIGNED],
    ),
    "a signature that does not count": (
        lambda t: (t.seal("books"), t.run("r", ["books"], "m"), t.sign("m", standing=Standing.EXPIRED)),
        [GapKind.UNSIGNED],
    ),
    "a run that a revoked key states": (
        lambda t: (t.seal("books"), t.run("r", ["books"], "m", standing=Standing.REVOKED), t.sign("m")),
        [GapKind.UNCOUNTED, GapKind.UNCOUNTED],  # what went in, and what came out
    ),
    "a run without inputs": (lambda t: (t.run("r", [], "m"), t.sign("m")), [GapKind.NO_INPUTS]),
    "a run that failed": (
        lambda t: (t.seal("books"), t.run("r", ["books"], "m", outcome="failed"), t.sign("m")),
        [GapKind.RUN_NOT_COMPLETED],
    ),
    "a run whose code is unknown": (
        lambda t: (t.seal("books"), t.run("r", ["books"], "m", code="none"), t.sign("m")),
        [GapKind.CODE_UNKNOWN],
    ),
    "code that changed meanwhile": (
        lambda t: (t.seal("books"), t.run("r", ["books"], "m", codeChanged=True), t.sign("m")),
        [GapKind.CODE_CHANGED],
    ),
    "outputs that were left out": (
        lambda t: (t.seal("books"), t.run("r", ["books"], "m", outputsSkipped=3), t.sign("m")),
        [GapKind.OUTPUTS_LEFT_OUT],
    ),
    "a base model that nobody knows": (
        lambda t: (t.seal("books"), t.run("r", ["books"], "m", bases=["base"]), t.sign("m")),
        [GapKind.NO_ORIGIN],
    ),
    "two runs that differ": (
        lambda t: (
            t.seal("books"), t.run("r", ["books"], "m"), t.run("s", ["books"], "m", seed=8), t.sign("m"),
        ),
        [GapKind.TWO_ORIGINS],
    ),
    "two runs on trees that differ from their commit": (
        lambda t: (
            t.seal("books"), *(t.run(name, ["books"], "m", dirty=True) for name in "rs"), t.sign("m"),
        ),
        [GapKind.TWO_ORIGINS],
    ),
    "one epoch with two seals": (
        lambda t: (
            t.seal("books"), t.seal("forged", dataset="id-books"), t.run("r", ["books"], "m"), t.sign("m"),
        ),
        [GapKind.SEAL_CONFLICT],
    ),
    "a seal under another name": (
        lambda t: (t.seal("books", dataset="id-other"), t.run("r", ["books"], "m"), t.sign("m")),
        [GapKind.SEAL_CONFLICT],
    ),
    "a base model that a person refused": (
        lambda t: (
            t.about("model.intake_decided", {"decision": "accept"}, [("model/base", "base")]),
            t.about("model.intake_decided", {"decision": "refuse"}, [("model/base", "base")]),
            t.seal("books"), t.run("r", ["books"], "m", bases=["base"]), t.sign("m"),
        ),
        [GapKind.ORIGIN_REFUSED],
    ),
    "another system's word": (
        lambda t: (
            t.seal("books"),
            t.about(
                "run.imported",
                {"outcome": "completed", "code": "git", "system": "mlflow",
                 "inputs": [{"dataset": "id-books", "epoch": 1, "seal": str(digest_of("books"))}]},
                [("run/x", "x"), ("outputs/x", "m")],
            ),
            t.sign("m"),
        ),
        [GapKind.FOREIGN_WORD, GapKind.FOREIGN_WORD],
    ),
    "a model that came from itself": (
        lambda t: (t.run("r", [], "m", bases=["m"]), t.sign("m")),
        [GapKind.CYCLE],
    ),
    "a circle of two": (
        lambda t: (t.run("r", [], "m", bases=["n"]), t.run("s", [], "n", bases=["m"]), t.sign("m")),
        [GapKind.CYCLE],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_gap_is_named(case):
    change, expected = CASES[case]
    found = of(broken(change), "m")
    assert not found.closed
    assert sorted(kinds(found)) == sorted(expected)
    assert all(gap.text.isprintable() and not gap.text.endswith(".") for gap in found.gaps)


def test_the_cases_cover_every_kind_of_gap():
    elsewhere = {
        GapKind.TOO_LARGE, GapKind.NO_DIGEST, GapKind.DIGEST_DECLARED, GapKind.DEPLOYMENT_UNSTATED,
        GapKind.DIGEST_CONFLICT,
    }  # fmt: skip
    assert {kind for _, expected in CASES.values() for kind in expected} == set(GapKind) - elsewhere


def test_a_run_that_is_repeated_is_no_contradiction():
    tale = Tale()
    tale.seal("books")
    tale.run("r", ["books"], "m")
    tale.run("s", ["books"], "m")
    tale.sign("m")
    assert of(tale, "m").closed


def test_what_a_run_left_may_be_taken_into_the_store():
    tale = whole()
    tale.take_in("tuned")
    found = of(tale, "tuned")
    assert found.closed
    assert found.ends == (Ref(Kind.MODEL, digest_of("base")),)


def test_a_link_that_counts_stands_before_one_that_does_not():
    tale = whole()
    tale.run("claim", ["nothing"], "tuned", standing=Standing.UNKNOWN)
    found = of(tale, "tuned")
    assert found.closed
    assert Ref(Kind.RUN, digest_of("claim")) not in found.things


@pytest.mark.parametrize(
    ("model", "basis", "expected"),
    [("tuned", "declared", [GapKind.DIGEST_DECLARED]), ("", "declared", [GapKind.NO_DIGEST])],
)
def test_an_attached_engine_leaves_a_gap(model, basis, expected):
    tale = whole()
    tale.deploy("attached", model, basis=basis)
    assert kinds(of(tale, "attached", Kind.DEPLOYMENT)) == expected


def test_an_engine_that_was_found_with_other_bytes_is_a_conflict_until_it_is_given_them_anew():
    tale = whole()

    def look(outcome):
        subjects = [("deployment/small", "small")]
        tale.about("deployment.rechecked", {"outcome": outcome}, subjects, role=KeyRole.CONTROL_PLANE)
        return kinds(of(tale, "small", Kind.DEPLOYMENT))

    assert look("same") == []
    assert look("silent") == []
    assert look("changed") == [GapKind.DIGEST_CONFLICT]
    tale.about("deployment.rechecked", {"outcome": "same"}, [("deployment/small", "small")], standing=Standing.REVOKED)
    assert kinds(of(tale, "small", Kind.DEPLOYMENT)) == [GapKind.DIGEST_CONFLICT]
    tale.deploy("small", "tuned")
    assert kinds(of(tale, "small", Kind.DEPLOYMENT)) == []


def test_a_deployment_of_a_digest_that_nobody_signed():
    tale = whole()
    tale.deploy("wild", "unknown")
    assert kinds(of(tale, "wild", Kind.DEPLOYMENT)) == [GapKind.NO_ORIGIN, GapKind.UNSIGNED]


@pytest.mark.parametrize("predicate", ["model.intake_decided", "model.quarantined"])
def test_a_model_comes_in_by_a_decision_and_not_by_lying_in_quarantine(predicate):
    tale = Tale()
    tale.about(predicate, {"decision": "accept"}, [("model/m", "m")])
    tale.sign("m")
    assert of(tale, "m").closed is (predicate == "model.intake_decided")


def test_a_base_model_need_not_be_signed_here():
    assert of(whole(), "tuned").closed


def test_what_is_too_large_is_not_closed():
    found = of(whole(), "small", Kind.DEPLOYMENT, most=3)
    assert GapKind.TOO_LARGE in kinds(found)
    assert len(found.things) == 3


def test_a_demo_statement_counts_in_demo_tenants_only():
    tale = Tale(demo=True)
    tale.seal("books")
    tale.run("r", ["books"], "m")
    tale.sign("m")
    start = Ref(Kind.MODEL, digest_of("m"))
    assert closing.closure(told(tale, demo=True), start).closed
    assert not closing.closure(told(tale, demo=False), start).closed


def test_another_tenants_statements_say_nothing():
    tale = whole()
    assert not Lineage.of(Tenant("other"), tale.statements).things


def test_a_survey_finds_what_each_closure_finds():
    tale = whole()
    tale.sign("orphan")
    tale.deploy("wild", "unknown")
    tale.deploy("gone", "unknown")
    tale.about("deployment.stopped", {"deployment": "gone"}, [("deployment/gone", "gone")])
    found = closing.survey(told(tale))
    assert (found.models, found.deployments, found.closed) == (2, 2, 2)
    assert {(gap.kind, gap.about.digest) for gap in found.gaps} == {
        (GapKind.NO_ORIGIN, digest_of("orphan")),
        (GapKind.NO_ORIGIN, digest_of("unknown")),
        (GapKind.UNSIGNED, digest_of("unknown")),
    }


def test_a_survey_of_nothing_is_empty():
    assert closing.survey(told(Tale())) == closing.Survey(0, 0, 0, ())
