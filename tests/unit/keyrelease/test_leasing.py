"""A lease ends once, whatever the agent says."""

from ringfence.kernel.errors import Unavailable
from ringfence.keyrelease.model import Ending
from ringfence.testing.keyrelease import ANNA, WISH, World


def test_a_lease_ends_where_its_agent_is_away_and_the_first_reason_stays():
    world = World()
    service = world.service()
    lease = service.release(ANNA, WISH)
    world.nodes["alpha"].broken["revoke"] = Unavailable("away")
    ended = service.leasing.end(lease, Ending.EXPIRED)
    assert service.leasing.end(lease, Ending.NODE_GONE) == ended
    assert [(d.claims["because"], d.claims["dropped"]) for d in world.said("lease.ended")] == [("expired", False)]
