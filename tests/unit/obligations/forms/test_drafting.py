import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import Strength
from ringfence.obligations.forms.drafting import attached, claims_of, details_of, draft, everything_wrong
from ringfence.obligations.forms.model import Filling, Known
from ringfence.testing.filled import ANSWERS, DAY, document, lab_filling, lab_form
from ringfence.testing.home import TENANT

KNOWN = (Known("dataset/a", Digest.of(b"seal"), 7),)


def wrong(form, filling, known=()):
    return {problem.field: problem.message for problem in everything_wrong(form, filling, TENANT, DAY, known)}


def test_a_filled_form_becomes_what_is_signed():
    made = draft(lab_form(), lab_filling(), TENANT, DAY)
    assert made.claims == {**ANSWERS, "minutes": str(document().digest)}
    assert made.strength is Strength.DOCUMENTED
    assert made.subjects[0].name == "organisation/main"
    assert made.details == {
        "summary": "It went well.",
        "files": {"minutes": {"name": "minutes.pdf", "salt": bytes(range(32)).hex()}},
    }


def test_no_free_text_and_no_name_of_a_file_stands_in_the_claims():
    made = draft(lab_form(), lab_filling(), TENANT, DAY)
    assert not {"It went well.", "minutes.pdf"} & {str(value) for value in made.claims.values()}


def test_the_same_document_has_another_digest_each_time():
    assert attached("a", b"x", bytes(32)).digest != attached("a", b"x", b"1" * 32).digest


def test_what_follows_from_other_answers_is_computed_and_not_overwritten():
    open_ = lab_filling(coverage=None, lasted=None)
    assert {name: claims_of(lab_form(), open_)[name] for name in ("coverage", "lasted")} == {
        "coverage": 666,
        "lasted": 1,
    }
    assert claims_of(lab_form(), lab_filling(coverage=1))["coverage"] == 1


def test_nothing_is_assumed_for_what_is_left_open():
    assert wrong(lab_form(), lab_filling(required=None, coverage=None)) == {
        "required": "is not answered",
        "coverage": "is not answered",
    }
    with pytest.raises(MalformedInput, match="required is not answered; coverage is not answered"):
        draft(lab_form(), lab_filling(required=None, coverage=None), TENANT, DAY)


def test_everything_that_is_wrong_is_said_at_once():
    filling = Filling({"outcome": "fine"}, "No Handle", {"summary": "\0"})
    found = wrong(lab_form(kind="vendor", title="Which?"), filling)
    assert {"outcome", "subject", "details.summary", "minutes"} <= found.keys()


def test_a_subject_that_an_answer_names_is_wrong_where_the_answer_is():
    form = lab_form(kind="policy", claim="version")
    assert wrong(form, lab_filling(version="x y")).keys() == {"version"}
    digest = lab_form(kind="software", title="Which?", digest="minutes")
    assert wrong(digest, Filling(lab_filling().claims, "platform")).keys() == {"minutes"}


def test_a_form_about_another_statements_thing_takes_its_version():
    form = lab_form(kind="dataset", title="Which?", of="dataset.sealed")
    assert draft(form, lab_filling("a"), TENANT, DAY, KNOWN).subjects[0].digest == Digest.of(b"seal")
    assert wrong(form, lab_filling("a"), KNOWN) == {}
    assert "no dataset.sealed that counts is about dataset/b" in wrong(form, lab_filling("b"), KNOWN)["subject"]
    assert "there is none yet" in wrong(form, lab_filling("a"))["subject"]
    with pytest.raises(MalformedInput, match="there is none yet"):
        draft(form, lab_filling("a"), TENANT, DAY)


def test_without_documents_the_side_record_has_no_salts():
    assert details_of(Filling({}, "", {"summary": "x"})) == {"summary": "x"}
