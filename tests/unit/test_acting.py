"""Which use case takes which act; what each does is tested with it, and all of it in a browser."""

import pytest

from ringfence.admission import ACTS
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import RingfenceError
from ringfence.testing.home import TENANT, draft, signed


def test_every_act_can_be_signed_in_the_browser(services):
    assert set(services.acting.desk.targets) == ACTS


@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_statement_about_nothing_is_refused_by_everyone_who_takes_acts(services, home, name):
    target = services.acting.desk.target(name)
    services.identity.policies.authorise(home.actor(), target.action, tenant=TENANT)
    before = len(services.ledger.statements(TENANT))
    envelope, opening = signed(services, home.people[Role.OWNER], draft(name, {}))
    with pytest.raises(RingfenceError):
        target.submit(home.actor(), "nothing", envelope, opening)
    services.ledger.integrate()
    assert len(services.ledger.statements(TENANT)) == before
    assert target.page("a").startswith("/")


def test_what_is_prepared_is_signed_on_a_page_of_its_own(services, home):
    wanted = draft("incident.opened", {})
    assert services.acting.prepare(home.actor(), wanted, "").startswith("/sign/act-")
