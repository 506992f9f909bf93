"""The pages; tests/docs/test_evidence.py compares what is written with what these functions return."""

from ringfence.obligations import catalog, producers
from ringfence.obligations.forms import reference, shelf
from ringfence.testing.filled import lab_form


def test_every_type_has_one_row_with_its_producer():
    page = reference.evidence_page(catalog.load())
    for kind, one in producers.by_type(shelf.types()).items():
        assert page.count(f"| [`{kind}`](") == 1
        assert f"(../specs/predicates/{kind}.md) | {one.way} | `{one.command}` |" in page


def test_the_page_of_a_form_names_every_claim_and_what_it_does_not_show():
    form = lab_form(kind="vendor", title="Which?")
    page = reference.predicate_page(form)
    for question in form.questions:
        assert f"| `{question.name}` |" in page
    for words in (
        "`vendor/<short name>`, digest = SHA-256 of this name",
        "thousandths: `completed` of `required`",
        "days from `heldOn` to `endedOn`",
        "from -31 to +0 days of the signature",
        "`files`: name and salt of each document",
        "Does not show: That it is so.",
    ):
        assert words in page


def test_a_subject_says_where_its_digest_comes_from():
    pages = [
        reference.predicate_page(lab_form()),
        reference.predicate_page(lab_form(kind="policy", claim="version")),
        reference.predicate_page(lab_form(kind="software", title="Which?", digest="minutes")),
        reference.predicate_page(lab_form(kind="dataset", title="Which?", of="dataset.sealed")),
    ]
    wanted = ("`organisation/<tenant>`", "`policy/<version>`", "the claim `minutes`", "the newest `dataset.sealed`")
    for page, words in zip(pages, wanted, strict=True):
        assert words in page
