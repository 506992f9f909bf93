"""Where the GDPR touches an organisation."""

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.testing.organisations import NOTHING, answer, customer, system

FOR_A_CUSTOMER = [customer(personal_data=True)]


def provisions(**changes):
    return {row["provision"] for row in answer(**changes)["gdpr"]}


@pytest.mark.parametrize(
    ("changes", "processes"),
    [
        ({"personal_data": "none"}, False),
        ({"personal_data": "ordinary"}, True),
        ({"personal_data": "special"}, True),
        ({"personal_data": NOTHING}, None),
        ({"personal_data": NOTHING, "customers": FOR_A_CUSTOMER}, True),
        ({"personal_data": "none", "customers": [customer(personal_data=NOTHING)]}, False),
        ({"personal_data": "none", "customers": NOTHING}, False),
    ],
)
def test_its_own_answer_counts_and_so_does_what_it_does_for_customers(changes, processes):
    found = answer(**changes)
    assert found["personal_data"] is processes
    assert bool(found["gdpr"]) is (processes is not False)
    assert {row["status"] for row in found["gdpr"]} == {True: {"binding"}, None: {"undetermined"}, False: set()}[
        processes
    ]
    assert ("personal_data" in {gap["subject"] for gap in found["undetermined"]}) is (processes is None)


def test_a_contradiction_is_refused_where_it_stands():
    with pytest.raises(MalformedInput, match=r"customers\[0\].personal_data: yes contradicts"):
        answer(personal_data="none", customers=FOR_A_CUSTOMER)


def test_whoever_processes_none_owes_no_customer_a_processor_contract():
    row = answer(personal_data="none", customers=[customer(personal_data=NOTHING)])["customers"][0]
    assert "GDPR 28(3)" not in {duty["provision"] for duty in row["duties"]}


def test_what_is_particular():
    usual = provisions(personal_data="ordinary")
    assert provisions(personal_data="ordinary", customers=FOR_A_CUSTOMER) - usual == {"GDPR 28"}
    assert provisions(personal_data="ordinary", established_in=["DE", "US"]) - usual == {"GDPR 44-49"}
    assert provisions(personal_data="special", ai_systems=[system()]) - usual == {"AI Act 4a"}
