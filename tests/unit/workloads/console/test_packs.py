import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.errors import InternalError, NotFound
from ringfence.reports.service import draft_of
from ringfence.reports.verify import verify
from ringfence.testing.home import TENANT, signed
from ringfence.workloads.console.packs import flipped


@pytest.fixture
def made(services, home):
    """A pack, and the entry of the statement that closes it."""
    services.ledger.integrate()
    preview = services.packs.preview(TENANT)
    posted = signed(services, home.people[Role.OWNER], draft_of(preview.to_json()))
    pack = services.packs.issue(*posted, by=home.actor())
    (report,) = services.ledger.statements(TENANT, ("report.exported",))
    return pack, report.entry


def test_a_pack_is_composed_again_as_it_was_handed_out(services, made):
    pack, entry = made
    assert services.packs.again(TENANT, entry) == pack
    services.collectors["log.heartbeat"](TENANT)
    later = services.packs.again(TENANT, entry)
    assert later != pack  # under a newer head
    assert verify(later, services.packs.trust).ok


def test_one_flipped_byte_fails_and_names_its_record(services, made):
    pack, _ = made
    assert verify(pack, services.packs.trust).ok
    flip = flipped(pack)
    assert sum(a != b for a, b in zip(pack, flip.data, strict=True)) == 1
    assert pack[flip.position : flip.position + 1].decode() == flip.before != flip.after
    outcome = verify(flip.data, services.packs.trust)
    assert not outcome.ok
    named = [failure for failure in outcome.failures if failure.record is not None]
    assert named
    lines = pack.splitlines(keepends=True)
    assert sum(map(len, lines[: named[0].record])) <= flip.position < sum(map(len, lines[: named[0].record + 1]))


@pytest.mark.parametrize("entry", [0, 10**6])
def test_what_is_no_report_is_no_pack(services, made, entry):
    with pytest.raises(NotFound, match="no report of yours"):
        services.packs.again(TENANT, entry)
    with pytest.raises(NotFound):
        services.packs.again("other", made[1])


def test_a_pack_that_shows_nothing_in_full_has_no_byte_to_flip():
    with pytest.raises(InternalError):
        flipped(b'{"format":"x"}\n')
