from dataclasses import replace

import pytest

from ringfence.customers.model import MAX_HOURS, Occasion, Regime, ThingKind, Wanted, check, customer_id
from ringfence.kernel.errors import MalformedInput

GOOD = Wanted("St. Example", (Regime.ESSENTIAL, Regime.GDPR), "DE", {Occasion.INCIDENT: 4})


def test_an_entry_that_fits_stands():
    check(GOOD)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": " x"},
        {"name": "a\nb"},
        {"name": "x" * 121},
        {"country": "Germany"},
        {"country": "de"},
        {"regimes": ()},
        {"regimes": (Regime.GDPR, Regime.GDPR)},
        {"regimes": (Regime.UNKNOWN, Regime.GDPR)},
        {"regimes": (Regime.CONTRACT, Regime.DORA)},
        {"regimes": (Regime.ESSENTIAL, Regime.IMPORTANT)},
        {"hours": {Occasion.BREACH: 0}},
        {"hours": {Occasion.BREACH: MAX_HOURS + 1}},
        {"things": {ThingKind.NODE: tuple(map(str, range(201)))}},
        {"reference": "\0"},
    ],
)
def test_an_entry_that_does_not_fit_is_refused(changes):
    with pytest.raises(MalformedInput):
        check(replace(GOOD, **changes))


@pytest.mark.parametrize("text", ["customer-0", "hold-0123456789ab", "customer-0123456789AB", "", None, 7])
def test_an_id_has_one_form(text):
    with pytest.raises(MalformedInput):
        customer_id(text)
    assert customer_id("customer-0123456789ab") == "customer-0123456789ab"
