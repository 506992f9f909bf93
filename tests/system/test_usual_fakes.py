"""How evidence is usually faked, item by item; the table in docs/explanation/threat-model.md names a test for each.

Those that are told by a pack are in `test_hostile_operator.py`; here are those that need a whole installation.
"""

from datetime import timedelta

from ringfence.kernel.actor import Role
from ringfence.obligations.results import State
from ringfence.reports.service import draft_of
from ringfence.reports.verify import verify
from ringfence.server import create_app
from ringfence.testing.home import TENANT, observed, signed


def sql(home, statement, *values):
    assert home.alter(statement, *values) == 1


def state_of(services, control):
    return next(c.verdict.state for c in services.status.board(TENANT).controls if c.control.id == control)


def test_item_1_a_byte_of_a_stored_statement_is_changed(home, clock):
    """It is named, and every control that used it leaves "satisfied"."""
    with home.services(clock) as services:
        recorded = services.ledger.record_heartbeat(TENANT)
        entry = services.ledger.published(recorded.envelope).entry
        assert state_of(services, "LOG-06") is State.SATISFIED
        pack = exported(services, home)
        data = services.outbox.stated(recorded.envelope).data
    sql(home, "UPDATE statements SET envelope = ? WHERE entry = ?", data.replace(b"A", b"B"), entry)
    with home.services(clock) as services:
        assert f"entry {entry}: its envelope was changed after the log took it in" in services.ledger.audit().failures
        assert state_of(services, "LOG-06") is State.NOT_SATISFIED
        changed = exported(services, home)
        outcome = verify(changed, services.packs.trust)
        assert not outcome.ok
        assert any("missing or unreadable" in str(failure) for failure in outcome.failures)
        assert verify(pack, services.packs.trust).ok  # what was handed out before stays as it was


def exported(services, home):
    preview = services.packs.preview(TENANT)
    envelope, opening = signed(services, home.people[Role.OWNER], draft_of(preview.to_json()))
    return services.packs.issue(envelope, opening, by=home.actor(Role.OWNER))


def test_item_4_a_record_that_comes_later_is_not_seen_by_questions_about_earlier(home, clock):
    """Whatever time it claims, it was recorded when it was recorded."""
    with home.services(clock) as services:
        before = clock.now()
        clock.advance(timedelta(hours=6))
        with services.database.transaction():
            late = services.outbox.record(observed(), tenant=TENANT)
        services.ledger.integrate()
        seen = {logged.envelope.digest for logged in services.ledger.statements(TENANT, at=before)}
        assert late.envelope not in seen
        assert late.envelope in {logged.envelope.digest for logged in services.ledger.statements(TENANT)}


def test_item_9_no_route_changes_removes_or_switches_off_what_is_recorded(home, clock):
    """Statements are added, by their acts; nothing that names the log can be put, patched or deleted."""
    with home.services(clock) as services:
        paths = create_app(services).openapi()["paths"]
    words = ("/ledger", "/statements", "/sources", "/evidence", "/reports")
    named = {path: set(methods) for path, methods in paths.items() if any(word in path for word in words)}
    assert len(named) > 5
    assert set().union(*named.values()) == {"get", "post"}  # what is posted adds a statement, and nothing else does
