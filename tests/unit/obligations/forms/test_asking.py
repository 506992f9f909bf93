import pytest

from ringfence.kernel.errors import NotFound, UsageError
from ringfence.obligations.forms.asking import Interview
from ringfence.obligations.forms.drafting import everything_wrong
from ringfence.testing.filled import ANSWERS, DAY, document, lab_form
from ringfence.testing.home import TENANT

FORM = lab_form(kind="vendor", title="Which vendor?")
GOOD = {
    "Which vendor?": "acme",
    "How did it end?": "good",
    "Which version?": "12",
    "When?": "2026-11-20",
    "Until when?": "2026-11-21",
    "How many had to come?": "3",
    "How many came?": "2",
    "Was it announced?": "yes",
    "What did it have?": "first third",
    "Who was there?": "ada, bob",
    "Who of them came late?": "none",
    "The minutes": "minutes.pdf",
    "What was said, in your words": "",
}


class Person:
    """Answers by the newest question that was told; each answer once, then the next one of a list."""

    def __init__(self, **changes):
        self.answers = {title: [text] for title, text in GOOD.items()}
        self.answers |= {GOOD_NAMES[name]: texts for name, texts in changes.items()}
        self.told = []

    def ask(self, _prompt):
        title = next(line for line in reversed(self.told) if line in self.answers)
        if not self.answers[title]:
            raise EOFError
        return self.answers[title].pop(0)

    def hold(self, form=FORM, subject=""):
        return Interview(self.ask, self.told.append, self.attach).hold(form, subject)

    @staticmethod
    def attach(path):
        if path != "minutes.pdf":
            raise NotFound(f"there is no {path}")
        return document()


GOOD_NAMES = {
    "outcome": "How did it end?",
    "required": "How many had to come?",
    "minutes": "The minutes",
    "subject": "Which vendor?",
    "summary": "What was said, in your words",
}


def test_a_person_who_knows_everything_fills_the_form():
    person = Person()
    filling = person.hold()
    assert everything_wrong(FORM, filling, TENANT, DAY) == ()
    assert filling.subject == "acme"
    assert filling.claims["late"] == []
    assert "lasted" not in filling.claims  # computed, not asked
    assert filling.claims["outcome"] == ANSWERS["outcome"]


@pytest.mark.parametrize("name", ["outcome", "required", "minutes", "subject"])
@pytest.mark.parametrize("word", ["?", "don't know"])
def test_whoever_does_not_know_ends_it(name, word):
    with pytest.raises(UsageError, match=r"you do not know .* nothing was signed"):
        Person(**{name: [word]}).hold()


def test_no_answer_is_no_answer_and_no_default():
    person = Person(required=["", "  ", "many", "3"])
    assert person.hold().claims["required"] == 3
    assert sum("an answer is needed" in line for line in person.told) == 2
    assert any("is a whole number" in line for line in person.told)


def test_a_word_that_is_no_choice_is_asked_again():
    assert Person(outcome=["fine", "bad"]).hold().claims["outcome"] == "bad"


def test_a_document_that_is_not_there_is_asked_again():
    person = Person(minutes=["elsewhere.pdf", "minutes.pdf"])
    assert person.hold().files["minutes"] == document()
    assert any("there is no elsewhere.pdf" in line for line in person.told)


def test_whoever_leaves_signs_nothing():
    with pytest.raises(UsageError, match="left before its end; nothing was signed"):
        Person(required=[]).hold()


def test_free_text_may_be_left_out_and_is_looked_at():
    assert Person(summary=["\x1b[2J", "it went well"]).hold().details == {"summary": "it went well"}
    assert Person().hold().details == {}


def test_a_subject_that_is_given_is_not_asked():
    person = Person(subject=[])
    assert person.hold(subject="other").subject == "other"
    assert Person(subject=[]).hold(lab_form()).subject == ""
