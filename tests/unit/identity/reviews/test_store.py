from datetime import timedelta

from ringfence.identity.reviews.model import Decision, Item, Review, ReviewId
from ringfence.identity.reviews.store import ReviewTables
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.testing.home import TENANT

PERSON, BY = PersonId("person-0123456789ab"), PersonId("person-ba9876543210")


def test_a_review_is_what_was_written_in_its_own_tenant_only(services, clock):
    table, now = ReviewTables(services.database), clock.now()
    items = (Item(PERSON, "owner"), Item(BY, "security"))
    mine = Review(ReviewId("review-0123456789ab"), TENANT, BY, now, now + timedelta(days=1), items)
    with services.database.transaction():
        table.add(mine)
        table.decide(mine, PERSON, Decision.CONFIRMED, BY, now)
    found = table.by_id(TENANT, mine.id)
    assert found.item(PERSON) == Item(PERSON, "owner", Decision.CONFIRMED, BY, now)
    assert (found.count(Decision.CONFIRMED), found.count(None)) == (1, 1)
    assert table.all(Tenant("other")) == []
    assert table.by_id(Tenant("other"), mine.id) is None


def test_a_review_closes_once(services, clock):
    table, now = ReviewTables(services.database), clock.now()
    mine = Review(ReviewId("review-0123456789ab"), TENANT, BY, now, now, (Item(PERSON, "owner"),))
    with services.database.transaction():
        table.add(mine)
        assert table.close(mine, now)
        assert not table.close(mine, now + timedelta(days=1))
    assert table.by_id(TENANT, mine.id).closed_at == now
