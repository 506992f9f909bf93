"""What is seen of the scope in force: what its signature changed, and what time changed since."""

from datetime import UTC, datetime

from ringfence.kernel.actor import Role
from ringfence.obligations.scope import rules
from ringfence.obligations.scoping.service import PLACE
from ringfence.obligations.scoping.views import seen
from ringfence.testing.home import TENANT, signed

PROFILE = rules.sample()


def sign(services, home, profile):
    draft = services.scopes.drafted(TENANT, profile)[1][0]
    services.scopes.take(home.actor(), PLACE, *signed(services, home.people[Role.OWNER], draft))
    services.ledger.integrate()


def test_nothing_is_seen_before_anything_was_signed(services):
    found = seen(services.scopes, TENANT)
    assert (found.signed, found.document, found.changed, found.drifted, found.systems) == (None, None, (), (), ())


def test_the_first_signature_changes_nothing_and_the_second_what_it_says(services, home):
    sign(services, home, PROFILE)
    assert seen(services.scopes, TENANT).changed == ()
    sign(services, home, PROFILE.replace("staff: 60", "staff: 600"))
    found = seen(services.scopes, TENANT)
    assert {"NIS2", "size class"} <= {one.subject for one in found.changed}
    assert found.drifted == ()


def test_time_changes_what_was_signed(services, home):
    sign(services, home, PROFILE)
    later = seen(services.scopes, TENANT, datetime(2028, 1, 1, tzinfo=UTC))
    assert later.document["on"] == "2028-01-01"
    assert any("binding" in one.after for one in later.drifted)
