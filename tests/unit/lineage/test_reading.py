"""What statements say of lineage; claims that do not fit say nothing."""

import pytest

from ringfence.kernel.statement import KeyRole
from ringfence.lineage.model import Kind, Ref, Relation, Role
from ringfence.lineage.reading import MAX_LINKS, PREDICATES, read
from ringfence.testing.lineage import Tale, digest_of, whole

HOSTILE = [
    None,
    1,
    "x",
    [],
    [1],
    {},
    {"digest": "zz"},
    [{"digest": "zz"}],
    [{"seal": "zz", "dataset": "d", "epoch": 1}],
]


def said(tale):
    return read(tale.statements[-1], None)


def test_a_run_joins_what_went_in_and_what_came_out():
    tale = Tale()
    tale.run("tune", ["books"], "tuned", bases=["base"])
    run = Ref(Kind.RUN, digest_of("tune"))
    assert {(link.source, link.relation, link.target) for link in said(tale).links} == {
        (Ref(Kind.DATASET, digest_of("books")), Relation.INPUT, run),
        (Ref(Kind.MODEL, digest_of("base")), Relation.BASE, run),
        (run, Relation.OUTPUT, Ref(Kind.MODEL, digest_of("tuned"))),
    }


@pytest.mark.parametrize("wrong", HOSTILE)
@pytest.mark.parametrize("name", ["inputs", "models", "outcome", "commit", "run"])
def test_claims_of_a_run_that_do_not_fit_leave_a_link_out(name, wrong):
    tale = Tale()
    tale.about("run.manifest", {name: wrong}, [("run/tune", "tune"), ("outputs/tune", "tuned")])
    assert [link.relation for link in said(tale).links] == [Relation.OUTPUT]


@pytest.mark.parametrize("predicate", PREDICATES)
def test_a_statement_without_its_subject_says_nothing(predicate):
    tale = Tale()
    tale.about(predicate, {}, [("something/else", "x")])
    assert said(tale).links == []
    assert said(tale).marks == []


def test_a_statement_of_another_kind_says_nothing():
    tale = Tale()
    tale.about("log.heartbeat", {}, [("dataset/x", "x")])
    assert said(tale).marks == []


def test_a_statement_makes_so_many_links_at_most():
    tale = Tale()
    tale.run("tune", [f"d{number}" for number in range(MAX_LINKS + 9)])
    assert len(said(tale).links) == MAX_LINKS


def test_facts_are_short_plain_values():
    tale = Tale()
    tale.about("model.signed", {"model": "m" * 1000, "files": {"a": 1}, "bytes": 9}, [("model/m", "m")])
    [(_, _, mark)] = said(tale).marks
    assert mark.facts == {"model": "m" * 300, "bytes": 9}


def test_each_of_the_story_is_read():
    found = [mark.role for logged in whole().statements for _, _, mark in read(logged, None).marks]
    assert set(found) == {
        Role.SEALED, Role.IMPORTED, Role.RAN, Role.SIGNED, Role.SCANNED, Role.EVALUATED, Role.DECIDED, Role.DEPLOYED,
    }  # fmt: skip


def test_an_erasure_names_every_epoch_among_its_subjects():
    tale = Tale()
    tale.about("dataset.erased", {"epoch": 1}, [("dataset/a", "a"), ("dataset/b", "b"), ("other/c", "c")])
    assert [ref.digest for ref, _, _ in said(tale).marks] == [digest_of("a"), digest_of("b")]


CHECKED = {
    "dataset": "a" * 32, "epoch": 1, "result": "fail", "tool": "ringfence", "toolVersion": "0.1.0", "rows": 500,
    "policy": "sha256:" + "0" * 64, "files": 2, "findings": 7, "report": "sha256:" + "0" * 64,
    "failed": ["label-noise", "leakage"], "notRun": ["drift"], "passed": ["format"], "off": [],
}  # fmt: skip


def test_a_check_of_a_dataset_is_read_as_its_page_has_it_and_apart_from_a_verification():
    tale = Tale()
    tale.about("dataset.checked", CHECKED, [("dataset/a", "a")])
    [(ref, _, mark)] = said(tale).marks
    assert (ref.kind, mark.role) == (Kind.DATASET, Role.CHECKED)
    assert mark.facts == {
        "checks": "fail",
        "checkedRows": 500,
        "checkFindings": 7,
        "checksFailed": "label-noise, leakage",
        "checksNotRun": "drift",
    }


@pytest.mark.parametrize("wrong", HOSTILE)
def test_claims_of_a_check_that_do_not_fit_say_nothing(wrong):
    tale = Tale()
    claims = {"result": wrong, "rows": True, "findings": wrong, "failed": wrong, "notRun": [wrong]}
    tale.about("dataset.checked", claims, [("dataset/a", "a")])
    [(_, _, mark)] = said(tale).marks
    allowed = {"checksNotRun", "checksFailed"} if wrong in ("x", []) else {"checkFindings"} if wrong == 1 else set()
    assert mark.facts.keys() <= allowed


def test_a_second_look_at_an_engine_is_read():
    tale = Tale()
    claims = {"deployment": "small", "node": "n-1", "outcome": "changed", "expected": "e", "measured": ""}
    claims |= {"sealed": True}
    tale.about("deployment.rechecked", claims, [("deployment/small", "small")], role=KeyRole.CONTROL_PLANE)
    [(ref, _, mark)] = said(tale).marks
    assert (ref, mark.role, mark.facts) == (Ref(Kind.DEPLOYMENT, digest_of("small")), Role.CHECKED, claims)
