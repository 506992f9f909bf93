from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import KeyId, LogOrigin
from ringfence.kernel.statement import Issuance, Statement, Strength, Subject
from ringfence.obligations.forms.checking import (
    MAX_DETAIL,
    check_details,
    check_stated,
    detail_problem,
    problems,
    subject_of,
)
from ringfence.obligations.forms.model import Known
from ringfence.testing.clock import FakeClock
from ringfence.testing.filled import ANSWERS, DAY, document, lab_form
from ringfence.testing.home import TENANT

FORM = lab_form()
FILES = {"minutes": {"name": "minutes.pdf", "salt": "00" * 32}}


def said(**changes):
    found = problems(FORM, {name: v for name, v in {**ANSWERS, **changes}.items() if v is not None}, DAY)
    return {problem.field: problem.message for problem in found}


def test_answers_that_fit_have_no_problem():
    assert said() == {}


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_every_answer_that_is_left_open_is_named(name):
    assert said(**{name: None})[name] == "is not answered"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("outcome", "excellent", "is one of good, bad"),
        ("version", "1a", "has another form"),
        ("version", "12345", "has another form"),
        ("version", "12\n", "line break"),
        ("version", "\u0661\u0662", "has another form"),
        ("version", 12, "is text"),
        ("heldOn", "2026-11-23", "lies between 2026-10-22 and 2026-11-22"),
        ("heldOn", "2026-10-21", "lies between"),
        ("heldOn", "2026-02-30", "is a day such as"),
        ("endedOn", "20261122", "is a day such as"),
        ("endedOn", "\u0662026-11-22", "letter beyond ASCII"),
        ("lasted", 2, "is 1, by the days from heldOn to endedOn"),
        ("required", -1, "is at least 0"),
        ("required", 1001, "is at most 1000"),
        ("required", True, "is a whole number"),
        ("required", "3", "is a whole number"),
        ("coverage", 667, "is 666, by completed of required"),
        ("announced", "yes", "is yes or no"),
        ("parts", "first", "is a list"),
        ("parts", ["fourth"], "is one of first, second, third"),
        ("parts", ["first", "first"], "names something twice"),
        ("names", ["ada", "bob", "c", "d", "e", "f"], "is at most 5"),
        ("names", ["Ada"], "has another form"),
        ("names", ["ada\n", "bob"], "line break"),
        ("late", ["eve"], "names eve, which names does not"),
        ("minutes", "sha256:00", "digest of an attached document"),
        ("other", 1, "is not asked here"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_question(name, value, words):
    assert words in said(**{name: value})[name]


def test_a_share_of_more_than_all_is_no_share():
    assert "cannot be computed" in said(completed=4, coverage=1000)["coverage"]
    assert said(completed=4, coverage=None)["coverage"] == "cannot be computed from completed of required"
    assert said(completed=None, coverage=None)["coverage"] == "is not answered"


def test_a_question_is_named_once():
    assert len(said(required="many", completed="few", parts=["x", "x"])) == 4


@given(
    st.dictionaries(
        st.sampled_from(sorted(ANSWERS)), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())
    )
)
def test_whatever_is_answered_is_judged(changes):
    for name, words in said(**changes).items():
        assert name in ANSWERS
        assert words


def statement(**changes):
    issuance = Issuance(
        tenant=TENANT,
        log=LogOrigin("a/b"),
        issuer=KeyId("0" * 64),
        strength=changes.pop("strength", Strength.DOCUMENTED),
        sequence=1,
        nonce="0" * 32,
        idempotency_key="x",
        issued_at=FakeClock().now(),
    )
    subjects = changes.pop("subjects", (Subject("organisation/main", Digest.of(b"organisation/main")),))
    return Statement(FORM.type, subjects, {**ANSWERS, **changes}, issuance)


def test_what_a_form_lets_a_person_say_is_taken():
    check_stated(FORM, statement(), DAY)
    check_stated(FORM, statement(strength=Strength.DECLARED), DAY)


@pytest.mark.parametrize("strength", [one for one in Strength if one > Strength.DOCUMENTED])
def test_what_a_person_says_is_documented_at_most(strength):
    with pytest.raises(Refused, match=f"documented at most, not {strength.text}"):
        check_stated(FORM, statement(strength=strength), DAY)


def test_answers_that_do_not_fit_are_not_taken():
    with pytest.raises(MalformedInput, match=r"outcome is one of good, bad; required is at least 0"):
        check_stated(FORM, statement(outcome="fine", required=-1, completed=0, coverage=1000), DAY)


@pytest.mark.parametrize(
    "subjects",
    [
        (Subject("organisation/other", Digest.of(b"organisation/other")),),
        (Subject("organisation/main", Digest.of(b"x")),),
        (Subject("vendor/main", Digest.of(b"vendor/main")),),
        (Subject("organisation/main", Digest.of(b"organisation/main")), Subject("vendor/x", Digest.of(b"vendor/x"))),
    ],
)
def test_a_statement_about_something_else_is_not_taken(subjects):
    with pytest.raises(Refused, match="is about"):
        check_stated(FORM, statement(subjects=subjects), DAY)


def about(name="", claims=ANSWERS, known=(), **subject):
    return subject_of(lab_form(**subject), claims, name, TENANT, known)


def test_the_subject_is_the_organisation_a_claim_or_a_short_name():
    assert about() == Subject("organisation/main", Digest.of(b"organisation/main"))
    assert about("ignored", kind="policy", claim="outcome").name == "policy/good"
    assert about("acme-1", kind="vendor").name == about("vendor/acme-1", kind="vendor").name == "vendor/acme-1"


@pytest.mark.parametrize("name", ["", "Acme", "a b", "-a", "a" * 64, "a/b", "\u0430"])
def test_a_name_that_is_not_short_is_refused(name):
    with pytest.raises(MalformedInput, match="say which vendor"):
        about(name, kind="vendor")


def test_the_digest_comes_from_a_claim_or_from_the_newest_statement():
    named = about("platform", kind="software", digest="minutes")
    assert named == Subject("software/platform", Digest.parse(ANSWERS["minutes"]))
    known = (Known("dataset/a", Digest.of(b"seal"), 7),)
    assert about("a", kind="dataset", of="dataset.sealed", known=known) == Subject("dataset/a", Digest.of(b"seal"))
    with pytest.raises(MalformedInput, match=r"no dataset\.sealed that counts is about dataset/b"):
        about("b", kind="dataset", of="dataset.sealed", known=known)


def test_the_side_record_holds_what_the_form_has_room_for():
    check_details(FORM, {"summary": "fine", "files": FILES}, ANSWERS)
    check_details(FORM, {"files": FILES}, ANSWERS)


@pytest.mark.parametrize(
    "details",
    [
        {"files": FILES, "other": "x"},
        {"files": FILES, "summary": " "},
        {"files": FILES, "summary": 7},
        {"files": FILES, "summary": "x" * (MAX_DETAIL + 1)},
        {"files": FILES, "summary": "\x1b[2J"},
        {},
        {"files": {}},
        {"files": []},
        {"files": {**FILES, "other": FILES["minutes"]}},
        {"files": {"minutes": {"name": "minutes.pdf", "salt": "00"}}},
        {"files": {"minutes": {"name": "", "salt": "00" * 32}}},
        {"files": {"minutes": {"name": "a\nb", "salt": "00" * 32}}},
        {"files": {"minutes": {"name": "a", "salt": "00" * 32, "path": "x"}}},
    ],
)
def test_any_other_side_record_is_refused(details):
    with pytest.raises(MalformedInput, match="details"):
        check_details(FORM, details, ANSWERS)


def test_free_text_may_have_lines():
    assert detail_problem("first\nsecond\t.") == ""


def test_a_documents_digest_tells_nothing_without_its_salt():
    one = document()
    other = replace(one, digest=Digest.of(b"who said what"))
    assert one.digest == Digest.of(one.salt + b"who said what") != other.digest
