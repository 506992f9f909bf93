"""What has the form of personal data is found, masked, with row and column; what chance explains is not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.checks.model import Outcome, Row
from ringfence.artifacts.checks.personal import PersonalCheck, candidates, is_card, is_iban
from ringfence.artifacts.checks.sampling import Numbers

GOOD = {
    "e-mail": "anna.meier@mail.ringfence-demo.eu",
    "phone": "+49 30 901820",
    "iban": "DE89 3704 0044 0532 0130 00",
    "card": "4539 1488 0343 6467",
    "ip-address": "194.25.0.60",
    "pl-pesel": "44051401359",
    "it-codice-fiscale": "RSSMRA85T10A562S",
}


def looked(*values, share=0.0, allowed=()):
    check = PersonalCheck(share, frozenset(allowed))
    for number, value in enumerate(values, start=1):
        check.see(Row("f.csv", number, "", {"note": value}))
    return check.result()


@pytest.mark.parametrize(("kind", "value"), GOOD.items())
def test_each_kind_is_found_where_it_is_and_not_shown(kind, value):
    found = looked("nothing here", f"so: {value}, yes")
    assert found.outcome is Outcome.FAILED
    one = next(one for one in found.findings if one.kind == f"personal-data/{kind}")
    assert (one.file, one.row, one.column) == ("f.csv", 2, "note")
    assert value not in one.text
    assert value[2:6] not in one.text
    assert looked(value, allowed=[kind]).total < found.total


@pytest.mark.parametrize(
    "text",
    [
        "me@example.com",
        "a@b.test",
        "10.0.0.1 and 127.0.0.1",
        "192.168.1.1",
        "version 1.2.3",
        "4539 1488 0343 6468",
        "DE89 3704 0044 0532 0130 01",
        "2026-11-23 04:05:06",
        "3.14159265358979",
        "1111 1111 1111 1117",
        "call 110",
        "::1",
        "123e4567-e89b-12d3-a456-426614174000",
    ],
)
def test_what_is_nobodys_is_not_found(text):
    assert looked(text).outcome is Outcome.PASSED


def test_numbers_are_looked_at_too():
    assert looked(4539148803436467).total == 1
    assert looked(True, 1.5, None).total == 0


def test_a_column_of_numbers_is_not_full_of_cards_by_chance():
    numbers = Numbers(1)
    values = [str(4 * 10**15 + numbers.below(10**15)) for _ in range(2000)]
    found = looked(*values)
    assert found.outcome is Outcome.PASSED
    assert found.measures["by-chance"] > 100
    assert looked(*values[:500], *["4539148803436467"] * 200).total > 200


def test_a_share_may_be_allowed():
    assert looked(GOOD["e-mail"], *["x"] * 99, share=0.02).outcome is Outcome.PASSED


@given(st.text(st.sampled_from("0123456789 -.+@:aAbBDE/"), max_size=200))
def test_any_text_is_looked_through(text):
    for kind, value, _ in candidates(text):
        assert kind
        assert value in text


@pytest.mark.parametrize(
    "text", ["1" * 50_000, "1-" * 25_000, "a" * 50_000 + "@", "a.b@" * 12_000, "1:" * 25_000, "+1 " * 17_000]
)
def test_no_text_makes_the_search_slow(text):
    start = time.process_time()
    sum(1 for _ in candidates(text))
    assert time.process_time() - start < 20  # a quadratic search takes minutes: bounds this generous are no race


def test_account_and_card_numbers():
    assert is_iban("NL91ABNA0417164300")
    assert not is_iban("XX91ABNA0417164300")
    assert is_card("2223000048400011")
    assert not is_card("0000000000000000")
