from datetime import UTC, datetime

from ringfence.identity.signin.model import Owner, Session
from ringfence.kernel.actor import Level
from ringfence.kernel.digest import Digest


def test_what_names_a_session_is_not_what_is_kept_of_its_secret():
    now = datetime(2026, 11, 22, tzinfo=UTC)
    session = Session(b"h" * 32, Owner("main", "person-0123456789ab"), Level.LINK, now, now)
    assert session.id == Digest.of(b"h" * 32).hex[:16]
    assert session.id not in (b"h" * 32).hex()
