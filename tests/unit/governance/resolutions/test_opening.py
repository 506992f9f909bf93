from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.governance.resolutions import opening
from ringfence.governance.resolutions.model import MEASURES, MeasureSet, Proposal
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import PersonId
from ringfence.testing.clock import START

PEOPLE = tuple(PersonId(f"person-{n:012x}") for n in range(4))
ASKED = Proposal(MEASURES, "t", "x")
FILE = {"name": "a.pdf", "salt": "0" * 64, "digest": str(Digest.of(b"a"))}


def test_unless_told_everybody_is_asked_and_more_than_half_must_agree():
    for count, most in ((1, 1), (2, 2), (3, 2), (4, 3)):
        rule = opening.rule_of(ASKED, PEOPLE[:count])
        assert (rule.members, rule.quorum, rule.agreements) == (frozenset(PEOPLE[:count]), most, most)
    rule = opening.rule_of(replace(ASKED, members=PEOPLE[:2], quorum=1, agreements=2), PEOPLE)
    assert (rule.members, rule.quorum, rule.agreements) == (frozenset(PEOPLE[:2]), 1, 2)


def test_nobody_else_is_asked():
    with pytest.raises(Refused, match="role management"):
        opening.rule_of(replace(ASKED, members=PEOPLE), PEOPLE[:2])
    with pytest.raises(Refused, match="nobody here"):
        opening.rule_of(ASKED, ())


def test_words_of_ours_stand_only_where_there_are_none():
    title, text = opening.of_measures(MeasureSet(Digest.of(b"1"), ("a 1",)))
    assert "and 1 policies" in text
    assert opening.worded(Proposal(MEASURES, "", ""), title, text).text == text
    assert opening.worded(ASKED, title, text) == ASKED
    control = {"title": "T" * 300, "requirement": "do it", "state": "not-satisfied"}
    title, text = opening.of_control("BCM-05", control)
    assert len(title) == 200
    assert "not satisfied" in text


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"title": "t"},
        {"title": "t", "text": "x", "more": 1},
        {"title": "", "text": "x"},
        {"title": "t", "text": "\x07"},
        {"title": "t", "text": "x", "files": [FILE]},
    ],
)
def test_the_side_record_is_title_text_and_the_documents_that_are_named(terms, details):
    opening.check_details(terms, {"title": "t", "text": "a\nb"})
    with pytest.raises(MalformedInput):
        opening.check_details(terms, details)


@pytest.mark.parametrize(
    "change", [{"salt": "0"}, {"salt": "g" * 64}, {"name": ""}, {"digest": str(Digest.of(b"b"))}, {"x": 1}]
)
def test_each_document_is_opened_by_its_salt(terms, change):
    named = replace(terms, files=(Digest.of(b"a"),))
    opening.check_details(named, {"title": "t", "text": "x", "files": [FILE]})
    with pytest.raises(MalformedInput, match="salt and digest"):
        opening.check_details(named, {"title": "t", "text": "x", "files": [FILE | change]})


def test_it_ends_ahead_and_within_ninety_days(terms):
    opening.check_end(terms, START)
    for end in (START, START - timedelta(days=1), START + timedelta(days=91)):
        with pytest.raises(Refused, match="1 to 90 days"):
            opening.check_end(replace(terms, ends_at=end), START)


def test_too_many_papers_are_refused():
    opening.check_proposal(ASKED)
    with pytest.raises(MalformedInput, match="at most"):
        opening.check_proposal(replace(ASKED, records=tuple(range(21))))
