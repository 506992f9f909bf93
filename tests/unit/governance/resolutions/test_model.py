from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.governance.resolutions.model import MeasureSet, resolution_id, subject_matter
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId
from ringfence.testing.clock import START


@pytest.mark.parametrize("text", ["", "resolution-1", "review-0123456789ab", 7, None, "resolution-0123456789AB"])
def test_what_is_no_id_is_refused(text):
    with pytest.raises(MalformedInput):
        resolution_id(text)
    assert resolution_id("resolution-0123456789ab") == "resolution-0123456789ab"


@pytest.mark.parametrize("text", ["", "everything", "GOV-5", None])
def test_it_is_about_the_measures_or_a_control(text):
    with pytest.raises(MalformedInput):
        subject_matter(text)
    assert [subject_matter(each) for each in ("measures", "GOV-05")] == ["measures", "GOV-05"]


def test_a_measure_set_is_named_by_rules_and_policies_in_any_order():
    rules = Digest.of(b"rules")
    assert MeasureSet(rules, ("a 1", "b 2")).digest == MeasureSet(rules, ("b 2", "a 1")).digest
    assert (
        len({MeasureSet(rules, p).digest for p in ((), ("a 1",), ("a 2",))} | {MeasureSet(Digest.of(b"x")).digest}) == 4
    )


def test_it_is_open_until_its_date(one):
    assert one.open(START)
    assert not one.open(START + timedelta(days=14))
    member, stranger = next(iter(one.terms.rule.members)), PersonId("person-ffffffffffff")
    assert one.waits_for(member, START)
    assert not one.waits_for(stranger, START)
    assert not replace(one, votes={member: None}).waits_for(member, START)
