import pytest

from ringfence.obligations.forms.model import Share, Span


@pytest.mark.parametrize(
    ("part", "whole", "right"), [(2, 3, 666), (0, 3, 0), (3, 3, 1000), (0, 0, 1000), (4, 3, None), (-1, 3, None)]
)
def test_a_share_is_thousandths_rounded_down(part, whole, right):
    assert Share("a", "b").of({"a": part, "b": whole}) == right


@pytest.mark.parametrize("claims", [{}, {"a": 1}, {"a": True, "b": 1}, {"a": "1", "b": 1}, {"a": 1, "b": 1.0}])
def test_a_share_of_anything_but_whole_numbers_is_none(claims):
    assert Share("a", "b").of(claims) is None


@pytest.mark.parametrize(
    ("end", "days"), [("2026-11-22", 0), ("2026-12-01", 9), ("2026-11-21", None), ("soon", None), (7, None)]
)
def test_a_span_is_days(end, days):
    assert Span("a", "b").of({"a": "2026-11-22", "b": end}) == days


def test_a_span_without_dates_is_none():
    assert Span("a", "b").of({}) is None
