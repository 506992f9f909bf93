from copy import deepcopy
from decimal import Decimal

import pytest
import yaml

from ringfence.incidents import thresholds
from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.reading import package_file
from ringfence.testing.incidents import shipped_thresholds

CLOUD = ("cloud_computing_service_provider",)


@pytest.fixture
def section():
    return deepcopy(SECTION)


SECTION = yaml.safe_load(package_file("nis2_2690.yaml"))["significant_incident"]


def codes(*arguments):
    return [one.code for one in thresholds.binding(shipped_thresholds(), *arguments)]


def test_a_cloud_provider_has_the_horizontal_criteria_recurrence_and_article_7():
    horizontal = [f"3(1)({letter})" for letter in "abcdefg"]
    assert codes(CLOUD, True) == [*horizontal, "4", "7(a)", "7(b)", "7(c)", "7(d)"]


def test_a_hospital_is_judged_by_the_directive_and_an_unfinished_classification_by_both():
    assert codes((), False) == ["23(3)(a)", "23(3)(b)"]
    assert codes((), None)[-2:] == ["23(3)(a)", "23(3)(b)"]
    assert "3(1)(a)" in codes((), None)


def test_types_that_share_an_article_each_find_it():
    assert "10(a)" in codes(("managed_security_service_provider",), True)
    assert "13(a)" in codes(("social_networking_services_platform",), True)
    assert "12(d)" in codes(("online_search_engine",), True)
    assert "11(a)" not in codes(("online_search_engine",), True)


def test_numbers_are_read_exactly():
    by_code = {one.code: one for one in shipped_thresholds()}
    assert (by_code["3(1)(a)"].eur, by_code["3(1)(a)"].turnover_pct) == (500_000, Decimal(5))
    assert by_code["14(e)"].users_pct == Decimal("0.1")
    assert by_code["7(a)"].minutes == 30
    assert by_code["8(a)"].minutes == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda s: s.pop("horizontal"),
        lambda s: s["horizontal"]["criteria"][0].update(eur="many"),
        lambda s: s["horizontal"]["criteria"][0].update(eur=True),
        lambda s: s["horizontal"]["criteria"][0].update(turnover_pct="x"),
        lambda s: s["horizontal"]["criteria"][0].update(turnover_pct=101),
        lambda s: s["by_type"][0].pop("criteria"),
        lambda s: s["by_type"].append({"article": "15", "type": "x", "same_as": "99"}),
        lambda s: s.update(by_type=3),
    ],
)
def test_damaged_data_is_refused(section, damage):
    damage(section)
    with pytest.raises(MalformedInput):
        thresholds.parse(section)
