"""The wizard in a terminal asks the same, and an empty line is an answer."""

import pytest

from ringfence.kernel.errors import UsageError
from ringfence.obligations.scope.wizard import turn
from ringfence.obligations.scope.wizard.interview import Interview
from ringfence.testing.organisations import ON
from ringfence.testing.wizard import answered


class Person:
    """Answers by the question that was told last; everything else with an empty line."""

    def __init__(self, **answers):
        self.answers, self.said = answers, []

    def ask(self, prompt):
        if not prompt.startswith((">", "several")):
            return next((value for key, value in self.answers.items() if prompt.startswith(key.replace("_", " "))), "")
        about = "\n".join(self.said[-60:])
        found = [(about.rfind(key.replace("_", " ")), key) for key in self.answers if key.replace("_", " ") in about]
        place, key = max(found, default=(-1, ""))
        start = about.rfind("\n\n")
        if place < start:
            return ""
        value = self.answers[key]
        return value.pop(0) if isinstance(value, list) else value

    def tell(self, line):
        self.said.append(line)

    def hold(self):
        return Interview(self.ask, self.tell, ON).hold()


def test_every_line_empty_ends_with_the_same_result_as_an_empty_page():
    person = Person()
    found = person.hold()
    assert found.document["nis2"] == turn.take({}, ON).document["nis2"]
    assert sum(line[:1].isdigit() or line[:2].isdigit() for line in person.said) <= 10


def test_answers_by_number_word_and_label():
    person = Person(
        Legal_name="Example",
        Country_of_the_main="germany",
        What_do_you_provide="1",
        Staff="60",
        Linked_or="no",
        Your_own_turnover="9 000 000",
        Your_own_balance="6000000",
        Has_an_authority="1",
        Did_the_accounting="same_class",
        Do_you_provide="no",
    )
    found = person.hold()
    assert found.document["nis2"]["category"] == "important"
    assert found.document["ai_act"] == []
    assert any("NIS2: important" in line for line in person.said)


def test_what_cannot_be_taken_is_asked_again():
    person = Person(Staff=["many", "60"], What_do_you_provide=["hosting", "hosted_inference_api"])
    assert "staff: 60" in person.hold().text
    assert any("a number such as 60" in line for line in person.said)
    assert any("take a number of the list" in line for line in person.said)


def test_whoever_leaves_early_gets_no_file():
    def gone(_prompt):
        raise EOFError

    with pytest.raises(UsageError, match="left before their end"):
        Interview(gone, lambda _line: None, ON).hold()


def test_customers_systems_and_enterprises_have_their_own_questions():
    person = Person(
        Legal_name="Example",
        Country_of_the_main="DE",
        What_do_you_provide="1",
        Staff="60",
        Linked_or="yes",
        Relation="linked",
        Its_staff="300",
        Who_are="healthcare",
        Has_an_authority="1",
        Did_the_accounting="1",
        Do_you_provide="y",
        What_is_it_for="1, 2",
        On_which_model="2",
    )
    found = person.hold()
    assert found.document["nis2"]["category"] == "essential"
    assert "more than a third" in "\n".join(person.said).lower()
    assert answered  # the same sheet as a page fills
