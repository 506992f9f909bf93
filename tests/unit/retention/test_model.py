from datetime import UTC, date, datetime

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.retention.model import Basis, Minimum, Scope, hold_id


def test_a_minimum_of_law_applies_from_its_day_on():
    minimum = Minimum(184, Basis.LAW, "AI Act 19(1)", applies_from={"high_risk_annex_III": date(2027, 12, 2)})
    assert not minimum.of_law(datetime(2027, 12, 1, 23, 59, tzinfo=UTC))
    assert minimum.of_law(datetime(2027, 12, 2, tzinfo=UTC))


def test_a_project_minimum_is_never_the_law():
    assert not Minimum(366, Basis.PROJECT, "a year").of_law(datetime(2040, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("text", ["hold-xyz", "hold-0123456789abc", "", None, 3])
def test_an_id_has_one_form(text):
    with pytest.raises(MalformedInput):
        hold_id(text)


def test_a_scope_that_names_nothing_is_empty():
    assert Scope().empty
    assert not Scope(family="incident").empty
