import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.incidents import profile
from ringfence.incidents.profile import FORMAT, Profile
from ringfence.incidents.terms import Customer
from ringfence.kernel.errors import MalformedInput

BY = "person-0123456789ab"


def document(**tenant):
    return json.dumps({"format": FORMAT, "tenants": {"main": tenant}}).encode()


def parsed(**tenant):
    return profile.parse(document(**tenant), source="organisation.json")["main"]


def test_customers_and_the_head_of_a_report():
    found = parsed(
        customers=[{"id": "hospital-group", "hours": 6, "agreed": True}, {"id": "car-maker"}],
        fields={"entity": {"text": "Example Inference GmbH", "by": BY}},
    )
    assert found.customers == (Customer("hospital-group", 6, agreed=True), Customer("car-maker", 12, agreed=False))
    assert found.fields == {"entity": ("Example Inference GmbH", BY)}


def test_a_tenant_may_have_nothing():
    assert parsed() == Profile()


@pytest.mark.parametrize(
    "tenant",
    [
        {"customer": []},
        {"customers": {}},
        {"customers": [{"id": "a", "hours": 0}]},
        {"customers": [{"id": "a", "hours": True}]},
        {"customers": [{"id": "a", "agreed": 1}]},
        {"customers": [{"id": "a", "name": "A"}]},
        {"customers": [{"id": "a"}, {"id": "a"}]},
        {"customers": [{"id": "A b"}]},
        {"customers": [{"id": "../a"}]},
        {"customers": [{"id": ""}]},
        {"fields": {"entity": "somebody"}},
        {"fields": {"entity": {"text": "somebody", "by": "Olga"}}},
        {"fields": {"entity": {"text": "", "by": BY}}},
        {"fields": {"entity": {"text": "x" * 4001, "by": BY}}},
        {"fields": {"t_aware": {"text": "2026-11-22", "by": BY}}},  # a fact of the incident, not of the organisation
    ],
)
def test_whatever_else_it_says_is_refused(tenant):
    with pytest.raises(MalformedInput, match=r"organisation\.json|person"):
        parsed(**tenant)


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data):
    with pytest.raises(MalformedInput):
        profile.parse(data, source="organisation.json")
