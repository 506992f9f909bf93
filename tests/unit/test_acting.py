"""Which use case takes which act; what each does is tested with it, and all of it in a browser."""

import pytest

from ringfence.admission import ACTS, OPERATOR_PREDICATES
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import RingfenceError
from ringfence.obligations.forms import shelf
from ringfence.testing.home import TENANT, draft, signed

# What a person states from a terminal with a key in a file, and in the console with a passkey.
IN_THE_CONSOLE_TOO = {
    "ai.classification",
    "dataset.sealed",
    "dataset.verified",
    "entity.classification",
    "report.exported",
}


def test_every_act_can_be_signed_in_the_browser(services):
    assert set(services.acting.desk.targets) == ACTS | shelf.types() | IN_THE_CONSOLE_TOO
    assert not (ACTS | IN_THE_CONSOLE_TOO) & shelf.types()
    assert IN_THE_CONSOLE_TOO <= OPERATOR_PREDICATES


@pytest.mark.parametrize("name", sorted({*ACTS, "training.record"}))
def test_a_statement_about_nothing_is_refused_by_everyone_who_takes_acts(services, home, name):
    target = services.acting.desk.target(name)
    allows = services.identity.policies.allows
    role = next(role for role in Role if allows(home.actor(role), target.action))
    before = len(services.ledger.statements(TENANT))
    envelope, opening = signed(services, home.people[role], draft(name, {}))
    with pytest.raises(RingfenceError):
        target.submit(home.actor(role), "nothing", envelope, opening)
    services.ledger.integrate()
    assert len(services.ledger.statements(TENANT)) == before
    assert target.page("a").startswith("/")


def test_what_is_prepared_is_signed_on_a_page_of_its_own(services, home):
    wanted = draft("incident.opened", {})
    assert services.acting.prepare(home.actor(), wanted, "").startswith("/sign/act-")
