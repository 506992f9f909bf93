from dataclasses import replace

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.evidence import Stage
from ringfence.redteam import statements
from ringfence.testing.home import TENANT, signed
from ringfence.testing.redteam import found


def drafted(**changed):
    return replace(statements.run(*found(number=20)), **changed)


def post(services, home, draft, role=Role.ENGINEER):
    return services.redteam.state(home.actor(role), *signed(services, home.people[role], draft))


def test_a_run_counts_and_is_listed(services, home):
    assert post(services, home, drafted()).stage is Stage.PUBLISHED
    (run,) = services.redteam.runs(TENANT)
    assert run.envelope.statement.claims["verdict"] == "inconclusive"
    assert run.opening.details["model"] == "m"


def test_the_same_run_posted_twice_is_recorded_once(services, home):
    assert post(services, home, drafted()) == post(services, home, drafted())
    assert len(services.redteam.runs(TENANT)) == 1


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"endpoint": "x"},
        {"endpoint": "x", "model": 1},
        {"endpoint": "x" * 3000, "model": ""},
        {"endpoint": "\x1b[31m", "model": ""},
        {"endpoint": "", "model": "", "y": 1},
    ],
)
def test_the_details_are_address_and_model(services, home, details):
    with pytest.raises(MalformedInput, match="details"):
        post(services, home, drafted(details=details))


def test_what_is_not_ours_leaves_nothing(services, home):
    with pytest.raises(MalformedInput):
        post(services, home, drafted(claims={"run": "x"}))
    assert services.redteam.runs(TENANT) == []


def test_nobody_states_with_the_key_of_another(services, home):
    envelope, opening = signed(services, home.people[Role.SECURITY], drafted())
    with pytest.raises(Refused):
        services.redteam.state(home.actor(Role.ENGINEER), envelope, opening)
