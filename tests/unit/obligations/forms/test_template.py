import pytest
import yaml

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.forms import answering, shelf, template
from ringfence.obligations.forms.model import Kind
from ringfence.testing.filled import lab_form

ALL = sorted(shelf.types())


@pytest.mark.parametrize("name", ALL)
def test_a_template_asks_every_question_and_answers_none(name):
    form = shelf.form(name)
    document = yaml.safe_load(template.template(form))
    computed = {one.name for one in form.of_kind(Kind.COMPUTED)}
    files = {one.name for one in form.of_kind(Kind.FILE)}
    asked = {one.name for one in form.questions} - computed - files
    assert document["claims"] == dict.fromkeys(asked)
    assert document.get("files", {}) == dict.fromkeys(files)
    assert document.get("details", {}) == dict.fromkeys(form.details)
    assert ("subject" in document) == template.asks_subject(form)


@pytest.mark.parametrize("name", ALL)
def test_a_template_that_nobody_filled_is_refused(name):
    with pytest.raises(MalformedInput, match="is not answered"):
        answering.parse(shelf.form(name), template.template(shelf.form(name)).encode(), source="empty.yaml")


def test_every_question_says_how_it_is_answered():
    text = template.template(lab_form(kind="vendor", title="Which vendor?"))
    for words in ("one of: good, bad", "a whole number", "true or false", "such as 2026-11-22", "Which vendor?"):
        assert words in text
    assert "Does not show: That it is so." in text
    assert max(len(line) for line in text.splitlines()) <= 100
