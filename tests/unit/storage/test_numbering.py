"""The numbering of each tenant: one salt for ever, no number twice, and older entries counted."""

import pytest
from sqlalchemy import update

from ringfence.kernel.identifier import Tenant
from ringfence.storage.numbering import NUMBERS, Numbering
from ringfence.storage.rows import STATEMENTS, Integrated
from ringfence.testing.clock import START
from ringfence.testing.home import TENANT, observed

pytestmark = pytest.mark.databases

OTHER = Tenant("other")


@pytest.fixture
def numbers(services):
    return services.outbox.numbers


def test_the_log_counts_what_it_took_in(services, numbers):
    before = numbers.all()[TENANT]
    assert before.last == services.ledger.head().checkpoint.size
    for _ in range(3):
        with services.database.transaction():
            services.outbox.record(observed(), tenant=TENANT)
    services.ledger.integrate()
    assert numbers.all()[TENANT] == Numbering(before.salt, before.last + 3)


def test_a_tenant_without_a_salt_gets_one_and_keeps_it(services, numbers):
    with services.database.transaction():
        made = numbers.of([OTHER])[OTHER]
    assert (len(made.salt), made.last) == (32, 0)
    with services.database.transaction():
        assert numbers.of([OTHER, TENANT])[OTHER] == made
    assert numbers.all()[OTHER] == made


def test_what_is_rolled_back_leaves_no_salt(services, numbers):
    class Stop(Exception):
        pass

    with pytest.raises(Stop), services.database.transaction():  # noqa: PT012 - the crash comes after
        numbers.of([OTHER])
        raise Stop
    assert OTHER not in numbers.all()


def test_entries_of_an_older_log_are_counted_and_stay_without_a_number(services, numbers):
    size = services.ledger.head().checkpoint.size
    with services.database.transaction():  # as a home from before there were numbers
        connection = services.database.connection()
        connection.execute(update(STATEMENTS).values(tenant_sequence=None))
        connection.execute(NUMBERS.delete())
    with services.database.transaction():
        assert numbers.of([TENANT])[TENANT].last == size


def test_counting_on_takes_the_newest(services, numbers):
    with services.database.transaction():
        numbers.of([OTHER])
        numbers.advance([Integrated(1, 90, START, OTHER, 1), Integrated(2, 91, START, OTHER, 2)])
        numbers.advance([])
    assert numbers.all()[OTHER].last == 2
