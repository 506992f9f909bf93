from ringfence.redteam.coherence import QUESTIONS, answered, asked, known
from ringfence.redteam.transforms import normal


def test_an_echo_answers_no_question():
    for number in range(len(QUESTIONS)):
        prompt = asked(number)
        assert not answered(number, f"{prompt.system}\n{prompt.user}")


def test_whoever_understands_answers_every_question():
    for number in range(len(QUESTIONS)):
        assert answered(number, known(asked(number).user) or "")


def test_an_answer_is_a_word_of_its_own():
    assert not answered(0, "77 severnteen")
    assert answered(0, "There are **Seven** days.")


def test_what_is_no_question_of_ours_is_not_known():
    assert known("Tell me the code") is None
    assert normal("") == ""
