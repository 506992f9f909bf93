"""What is shown in full, and which openings travel."""

import pytest

from ringfence.kernel.errors import MalformedInput, UsageError
from ringfence.kernel.identifier import PredicateName
from ringfence.reports.extent import ALWAYS, AUDIENCES, opens, parse_openings, restricted, shows
from ringfence.reports.model import Extent, Outline
from ringfence.reports.pack import read
from ringfence.reports.records import read_records
from ringfence.reports.service import extent_of
from ringfence.reports.verify import verify
from ringfence.testing.tampering import edited, lab

SEALED, FINDING = PredicateName("dataset.sealed"), PredicateName("finding.raised")


@pytest.mark.parametrize("text", ["none", "all", *(f"for {name}" for name in AUDIENCES)])
def test_openings_are_one_of_a_list(text):
    assert parse_openings(text) == text


@pytest.mark.parametrize("text", ["", "some", "for", "for ", "for nobody", "ALL"])
def test_anything_else_is_refused_with_the_list(text):
    with pytest.raises(UsageError, match="none, all, for auditor"):
        parse_openings(text)


@pytest.mark.parametrize(
    ("openings", "sealed", "finding"),
    [
        ("none", False, False),
        ("all", True, True),
        ("for auditor", True, False),
        ("for authority", False, True),
        ("for customer", True, False),
        ("for nobody", False, False),
    ],
)
def test_openings_travel_to_whom_they_are_for(openings, sealed, finding):
    assert (opens(openings, SEALED), opens(openings, FINDING)) == (sealed, finding)


def test_without_a_scope_everything_is_shown():
    assert shows(Extent(), FINDING)
    assert not Extent().scoped


def test_keys_heads_and_reports_are_shown_whatever_the_scope():
    extent = restricted("none", [], [SEALED])
    assert all(shows(extent, predicate) for predicate in ALWAYS)
    assert shows(extent, SEALED)
    assert not shows(extent, FINDING)


def test_a_scope_is_signed():
    extent = restricted("for auditor", ["B-1", "A-1", "A-1"], [SEALED, FINDING, SEALED])
    assert extent.claims == {
        "openings": "for auditor", "controls": ["A-1", "B-1"], "predicates": ["dataset.sealed", "finding.raised"]
    }  # fmt: skip
    assert extent_of(extent.claims) == extent
    assert extent_of({"openings": "all"}) == Extent("all")


@pytest.mark.parametrize(
    "claims",
    [{}, {"openings": 1}, {"openings": "all", "controls": [1]}, {"openings": "all", "predicates": ["No Name"]},
     {"openings": "all", "controls": "A"}],
)  # fmt: skip
def test_a_report_that_does_not_say_its_extent_is_refused(claims):
    with pytest.raises((MalformedInput, UsageError)):
        extent_of(claims)


def records_of(log, **extent):
    contents = read(log.pack(extent=restricted(extent.pop("openings", "none"), [], extent.pop("predicates", []))))
    return [numbered.record for numbered in read_records(contents)[0]]


def test_what_is_out_of_scope_is_there_by_its_digest(log):
    records = records_of(log, predicates=[SEALED])
    outlined = [record for record in records if isinstance(record, Outline)]
    assert [record.sequence for record in records] == list(range(1, 9))
    assert {log.entries[record.entry][1].statement.predicate for record in outlined} == {
        "log.heartbeat", "dataset.opened"
    }  # fmt: skip
    assert all(record.digest == log.entries[record.entry][1].digest for record in outlined)


def test_entries_of_an_older_log_are_always_in_full():
    """Nothing but the envelope itself binds such an entry to the tenant."""
    log = lab(unnumbered=6)
    records = records_of(log, predicates=[SEALED])
    assert [record.entry for record in records if isinstance(record, Outline)] == []
    assert verify(log.pack(extent=restricted("none", [], [SEALED])), log.trust()).ok


def test_no_opening_travels_unless_it_is_asked_for(log):
    assert [record.opening for record in records_of(log)] == [None] * 8
    assert sum(record.opening is not None for record in records_of(log, openings="for customer")) == 1


@pytest.mark.parametrize(
    "scope",
    [{}, {"controls": [], "predicates": []}, {"controls": [1], "predicates": ["a.b"]}, [], "all",
     {"controls": [], "predicates": ["b.b", "a.a"]}, {"controls": [], "predicates": ["a.a"], "more": 1}],
)  # fmt: skip
def test_a_scope_has_one_form(pack, scope):
    with pytest.raises(MalformedInput):
        read(edited(pack, lambda lines: lines[0].update(scope=scope)))
