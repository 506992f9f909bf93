"""A signer of an older home goes on from the log only where that continues its mark."""

import shutil
from dataclasses import replace

import pytest

from ringfence.kernel.errors import Refused
from ringfence.signing.catching_up import catch_up
from ringfence.signing.opening import in_process
from ringfence.testing.home import TENANT, observed


def grown(services, number=3):
    """Let the log go on for some heads."""
    for _ in range(number):
        with services.database.transaction():
            services.outbox.record(observed(), tenant=TENANT)
        services.ledger.integrate()


@pytest.fixture
def older(home, services, clock, tmp_path):
    """The signer of a copy of the home that was made before the log grew."""
    shutil.copytree(home.path, tmp_path / "copy")
    grown(services)
    return in_process(tmp_path / "copy", services.home.log, None, clock)


def test_without_it_the_older_signer_refuses_what_follows(services, older):
    with services.database.transaction():
        services.outbox.record(observed(), tenant=TENANT)
    with pytest.raises(Refused, match="does not continue"):
        replace(services.ledger, sign=older.head).integrate()
    assert services.ledger.integrate().checkpoint == services.signer.signed_last()  # the other one signs it


def test_shown_how_the_log_went_on_it_signs_what_follows(services, older, clock):
    ledger = replace(services.ledger, sign=older.head)
    assert catch_up(older, ledger, clock.now())
    assert older.signed_last() == ledger.published_head().checkpoint
    assert not catch_up(older, ledger, clock.now())
    with services.database.transaction():
        services.outbox.record(observed(), tenant=TENANT)
    assert ledger.integrate().checkpoint == older.signed_last()
    assert services.ledger.audit().failures == ()


def test_a_signer_that_is_not_behind_signs_nothing(services, clock):
    before = services.signer.signed_last()
    assert not catch_up(services.signer, services.ledger, clock.now())
    assert services.signer.signed_last() == before


def test_another_log_of_the_same_length_is_not_gone_on_from(services, made_home, clock, tmp_path):
    """Of two homes that were one, each with a database of its own: the second is another history."""
    other = made_home.copy(tmp_path / "other")
    with other.services(clock) as elsewhere:
        grown(elsewhere, 1)
    signer = in_process(other.path, services.home.log, None, clock)
    grown(services, 3)
    with pytest.raises(Refused, match="does not continue"):
        catch_up(signer, services.ledger, clock.now())
