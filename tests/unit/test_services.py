from datetime import timedelta

from ringfence.kernel.envelope import key_id_of
from ringfence.testing.home import TENANT


def test_collectors_publish_what_they_state(services):
    for name, collect in services.collectors.items():
        done = collect(TENANT)
        assert done.stage.value == "published"
        assert services.ledger.page(TENANT, limit=1)[0].envelope.statement.predicate == name


def test_where_no_journal_has_anything_nothing_is_replayed(services):
    assert services.replay_journals() == 0


def test_asking_what_a_compromise_would_take_along_is_not_remembered(services, clock):
    """An anchor that comes in later, and before the revocation, still counts then."""
    key = key_id_of(services.signer.public().control_plane)
    services.collectors["log.heartbeat"](TENANT)
    clock.advance(timedelta(minutes=1))
    kept = services.ledger.vouched_before.__self__
    assert services.keys.unvouched(TENANT, key) > 0
    assert kept._found == {}
