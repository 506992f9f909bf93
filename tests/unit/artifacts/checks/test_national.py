"""Numbers whose check holds, made here by the published rules; and how often chance alone passes."""

import pytest

from ringfence.artifacts.checks.national import NUMBERS, luhn
from ringfence.artifacts.checks.sampling import Numbers

BY_KIND = {number.kind: number for number in NUMBERS}
# Each is made up; the check of each was worked out by hand or is the one of the issuing state's own example.
GOOD = {
    "be-national-number": ["85.07.30-033.28", "85073003328"],
    "de-tax-number": ["86095742719", "47036892816"],
    "es-dni": ["12345678Z", "X1234567L"],
    "fi-identity-code": ["131052-308T"],
    "fr-registration-number": ["255081416802538", "2 55 08 14 168 025 38"],
    "it-codice-fiscale": ["RSSMRA85T10A562S"],
    "nl-bsn": ["111222333"],
    "pl-pesel": ["44051401359"],
    "se-personnummer": ["811228-9874", "19811228-9874"],
}
FORMS = {
    "be-national-number": "ddddddddddd",
    "de-tax-number": "1dddddddddd",
    "es-dni": "ddddddddL",
    "fi-identity-code": "dddddd-dddC",
    "fr-registration-number": "1dddddddddddddd",
    "it-codice-fiscale": "LLLLLLddAddLdddL",
    "nl-bsn": "ddddddddd",
    "pl-pesel": "ddddddddddd",
    "se-personnummer": "dddddd-dddd",
}
LETTERS = {"d": "0123456789", "L": "ABCDEFGHJKLMNPQRSTVWXYZ", "C": "0123456789ABCDEFHJKLMNPRSTUVWXY"}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in GOOD.items() for text in texts])
def test_a_good_number_holds_and_another_digit_does_not(kind, text):
    number = BY_KIND[kind]
    assert number.form.fullmatch(text)
    assert number.holds(text)
    place = next(at for at in range(len(text) - 2, 0, -1) if text[at].isdigit())
    for other in set("0123456789") - {text[place]}:
        changed = text[:place] + other + text[place + 1 :]
        assert not number.form.fullmatch(changed) or not number.holds(changed) or kind == "fr-registration-number"


@pytest.mark.parametrize("kind", sorted(BY_KIND))
def test_chance_passes_no_more_often_than_is_said(kind):
    numbers, count = Numbers(7), 20_000
    passed = 0
    for _ in range(count):
        text = "".join(LETTERS[c][numbers.below(len(LETTERS[c]))] if c in LETTERS else c for c in FORMS[kind])
        passed += bool(BY_KIND[kind].form.fullmatch(text)) and BY_KIND[kind].holds(text)
    assert passed / count <= BY_KIND[kind].chance


def test_luhn():
    assert luhn("4539148803436467")
    assert not luhn("4539148803436468")
