from datetime import timedelta

import pytest

from ringfence.exports.annexiv.service import draft, written
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest, loads
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, UsageError, VerificationFailed
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.testing.home import TENANT, signed
from ringfence.testing.techdoc import SYSTEM, TEXT

PLAIN = (
    TEXT.replace("    rests_on: [0]\n", "")
    .replace("2026-11-22", "2026-11-20")
    .replace("to: 2026-11-20", "to: 2026-11-10")
)


@pytest.fixture
def provider(services, home, clock):
    """A home whose scope says that it provides a system."""
    subject = (Subject(f"system/{SYSTEM}", Digest.of(SYSTEM.encode())),)
    claims = {"system": SYSTEM, "role": "provider", "class": "high_risk_annex_I", "provision": "AI Act 6(1)"}
    claims |= {"computeEstimated": False, "roles": ["provider:high_risk_annex_I"]}
    envelope, _ = signed(
        services, home.people[Role.OWNER], Draft("ai.classification", subject, claims, Strength.DOCUMENTED)
    )
    with services.ledger.publishable():
        services.outbox.admit(envelope, None, by=home.actor())
    services.ledger.integrate()
    clock.advance(timedelta(seconds=1))
    return services


def test_what_left_is_recorded_with_the_digest_of_its_bytes(provider, home):
    made = provider.technical.draw(TENANT, PLAIN)
    envelope, _ = signed(provider, home.people[Role.OWNER], draft(made))
    provider.technical.record(home.actor(), envelope, PLAIN)
    (logged,) = provider.ledger.statements(TENANT, ("techdoc.exported",))
    assert logged.envelope.statement.subjects[0].digest == Digest.of(written(made))
    assert logged.envelope.statement.claims["missing"] == [f"iv-{n}" for n in range(2, 10)]
    assert loads(written(made)) == made


def test_another_document_than_the_signed_one_is_not_recorded(provider, home):
    made = provider.technical.draw(TENANT, PLAIN)
    envelope, _ = signed(provider, home.people[Role.OWNER], draft(made))
    with pytest.raises(Conflict):
        provider.technical.record(home.actor(), envelope, PLAIN.replace("radiologists", "cardiologists"))


def test_another_type_is_not_stated_here(provider, home):
    other = Draft("report.exported", (Subject("a", Digest.of(b"a")),), {}, Strength.OBSERVED)
    envelope, _ = signed(provider, home.people[Role.OWNER], other)
    with pytest.raises(MalformedInput):
        provider.technical.record(home.actor(), envelope, PLAIN)


def test_a_placeholder_fails_the_export_wherever_it_is_drawn(provider):
    with pytest.raises(VerificationFailed, match=r"iv-1\[0\]\.text"):
        provider.technical.draw(TENANT, PLAIN.replace("The system sorts", "todo sorts"))


def test_an_unknown_system_and_a_time_to_come(provider, clock):
    with pytest.raises(NotFound):
        provider.technical.draw(TENANT, PLAIN.replace(SYSTEM, "f" * 12))
    with pytest.raises(UsageError):
        provider.technical.draw(TENANT, PLAIN, clock.now().replace(year=clock.now().year + 1))
