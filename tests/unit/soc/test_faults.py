from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.clock import to_text
from ringfence.kernel.identifier import Tenant
from ringfence.soc import playbook
from ringfence.soc.action import ActionKind
from ringfence.soc.faults import RULES, SEGMENT_REFUSED, Fault, concerning, finding, shown
from ringfence.soc.respond import OWN_RULES
from ringfence.testing.clock import START
from ringfence.testing.soc import TENANT

FAULT = Fault(SEGMENT_REFUSED, TENANT, "acme 2", START, "segment 2 of acme is missing, and segment 3 is there: a gap")


def test_the_same_fault_is_the_same_finding_also_when_it_is_seen_first_again():
    later = START + timedelta(hours=1)
    assert finding(FAULT, START).id == finding(replace(FAULT, since=later), later).id
    assert finding(FAULT, START).id != finding(replace(FAULT, key="acme 3"), START).id


def test_a_finding_says_what_and_why():
    found = finding(FAULT, START)
    assert "not taken into the log" in found.title
    assert found.title.endswith(": a gap")
    assert (found.rule, found.source, found.technique) == ("segment-refused", "", ("T1562",))


def test_what_all_share_concerns_everybody_and_the_rest_its_tenant():
    shared = replace(FAULT, tenant=None)
    assert concerning([FAULT, shared], TENANT) == [FAULT, shared]
    assert concerning([FAULT, shared], Tenant("other")) == [shared]


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_fault_is_told_to_people_and_cuts_nothing_off(rule):
    assert playbook.shipped().entries[rule].actions == (ActionKind.ALERT,)
    assert rule in OWN_RULES


def test_a_status_shows_no_more_than_what_why_and_since_when():
    assert shown(FAULT).keys() == {"rule", "since", "what", "because"}
    assert shown(FAULT)["since"] == to_text(START)
