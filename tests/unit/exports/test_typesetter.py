import pytest

from ringfence.exports.annexiv.document import document
from ringfence.exports.typesetter import MAX_DOCUMENT, pdf
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.techdoc import TEXT, basis, declared, story

DIGEST = "sha256:" + "a" * 64


def made(text=TEXT):
    return document(declared(text), basis(story()))


def test_a_document_becomes_a_pdf_the_same_each_time():
    first = pdf(made(), DIGEST, 7)
    assert first.startswith(b"%PDF-")
    assert first == pdf(made(), DIGEST, 7)


def test_text_that_looks_like_typst_is_set_as_text():
    hostile = TEXT.replace("by urgency", "by #panic(1) $x$ *urgency*")
    assert pdf(made(hostile), DIGEST, 7).startswith(b"%PDF-")


def test_a_document_without_bound_is_refused():
    found = made()
    found["notice"] = "x" * MAX_DOCUMENT
    with pytest.raises(MalformedInput):
        pdf(found, DIGEST, 7)
