from ringfence.governance.resolutions.waiting import for_member
from ringfence.kernel.identifier import PersonId
from ringfence.testing.clock import START


def test_a_vote_that_is_missing_waits_for_its_member_alone(one):
    (item,) = for_member([one], PersonId("person-000000000000"), START)
    assert (item.link, item.due) == (f"/decisions/{one.id}", one.terms.ends_at)
    assert item.command == f"ringfence resolution vote {one.id} agree"
    assert for_member([one], PersonId("person-ffffffffffff"), START) == []
    assert for_member([one], PersonId("person-000000000000"), one.terms.ends_at) == []
