from datetime import timedelta

from ringfence.ledger.model import Cosigned, Judged, Stamped
from ringfence.testing.clock import START


def test_only_another_party_vouches_and_the_earliest_counts() -> None:
    later = START + timedelta(hours=1)
    own = (Cosigned("w", "operator", START),), (Stamped("t", "operator", START),)
    assert Judged(*own).outside_since is None
    assert Judged((*own[0], Cosigned("v", "Auditor", later)), own[1]).outside_since == later
    assert Judged(own[0], (Stamped("s", "Stamps", START),)).outside_since == START
