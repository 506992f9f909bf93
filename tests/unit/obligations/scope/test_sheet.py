"""The answer in words."""

import io

import pytest
from rich.console import Console

from ringfence.obligations.scope import rules, sheet
from ringfence.obligations.scope.classify import classify
from ringfence.obligations.scope.organisation import parse
from ringfence.testing.organisations import NOTHING, ON, answer, customer, system


def shown(document, width=200):
    file = io.StringIO()
    sheet.show(document, Console(file=file, width=width, markup=False, highlight=False))
    return file.getvalue()


def test_the_sample():
    text = shown(classify(parse(rules.sample().encode()), ON))
    lines = text.splitlines()
    assert lines[0] == "NIS2: important (NIS2 3(2), Annex I.8, 6(30)), binding."
    assert "Implementing Regulation (EU) 2024/2690 binds." in lines
    assert "Applies later" in lines
    assert lines[-2:] == [
        "Not determined: nothing; every input that matters is known.",
        "Paraphrase for implementation, not legal advice.",
    ]


def test_what_is_not_determined_stands_at_the_end_with_what_would_decide_it():
    text = shown(answer(services=["gpu_cloud"], size__staff="unknown"))
    assert "- size class: small / medium / large. Decided by: size.staff" in text
    assert text.splitlines()[-1] == "Paraphrase for implementation, not legal advice."


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"customers": [customer()]}, "Supply-chain duties arrive by contract only."),
        ({"customers": NOTHING}, "Whether supply-chain duties arrive by contract only is not determined."),
        ({"services": ["credit_institution"]}, "Lex specialis: DORA instead of NIS2 21 and 23 (NIS2 4; DORA 1(2))."),
        ({"services": NOTHING}, "Whether Implementing Regulation (EU) 2024/2690 binds is not determined."),
        ({}, "Implementing Regulation (EU) 2024/2690 does not bind now."),
    ],
)
def test_sentences(changes, sentence):
    assert sentence in sheet.headline(answer(**changes))


def test_a_customer_without_duties_is_shown():
    assert "no duty that reaches you" in shown(answer(customers=[customer(services=["none_of_these"])]))


def test_names_are_text_and_nothing_is_called_compliant():
    text = shown(answer(ai_systems=[system(name="[red]x[/red]")], customers=[customer(name="[b]")]))
    assert "[red]x[/red]" in text
    assert "complian" not in text.lower()
