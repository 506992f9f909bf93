"""An intake is shown with what is said of it, and why it cannot be accepted."""

import pytest

from ringfence.kernel.actor import Role
from ringfence.testing.gating import GateLab
from ringfence.workloads.intake import shown


@pytest.fixture
def lab(services, home):
    return GateLab(services, home)


def test_it_shows_who_said_and_who_decided(lab, home):
    found = lab.bring(licence="LicenseRef-own")
    document = shown.intake(found, "the licence is not listed")
    assert (document["state"], document["decision"], document["not_acceptable"]) == (
        "waiting", None, "the licence is not listed"
    )  # fmt: skip
    done = shown.intake(lab.decide(found, "refuse"), "")
    assert done["decision"]["by"] == home.people[Role.SECURITY].id
    assert (done["state"], done["decision"]["reason"]) == ("refused", "read it")
