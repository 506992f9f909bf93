import threading

import pytest

from ringfence.kernel.errors import Conflict, Unavailable
from ringfence.soc.ports import Tail
from ringfence.soc.store import AlertTable, BoundedWrites, FindingTable, ProgressTable, SettingsTable
from ringfence.testing import soc
from ringfence.testing.soc import TENANT, MemoryFindings, MemoryMailbox, MemoryPolicies

pytestmark = pytest.mark.databases


@pytest.fixture(params=["memory", "table"])
def made(request, database):
    """The fake and the table, each within a transaction."""
    tables = {
        "findings": (MemoryFindings, FindingTable),
        "policies": (MemoryPolicies, SettingsTable),
        "mailbox": (MemoryMailbox, AlertTable),
    }

    def make(name):
        fake, table = tables[name]
        return fake() if request.param == "memory" else table(database)

    with database.transaction():
        yield make


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (soc.keeps_findings, "findings"),
        (soc.keeps_rulings, "findings"),
        (soc.keeps_what_a_person_settled, "findings"),
        (soc.keeps_what_waits, "findings"),
        (soc.keeps_policies, "policies"),
        (soc.keeps_alerts, "mailbox"),
        (soc.keeps_what_was_not_sent, "mailbox"),
    ],
    ids=lambda given: getattr(given, "__name__", given),
)
def test_the_fake_and_the_table_keep_the_contract(made, check, name):
    check(made(name))


def test_tails_and_detectors_are_kept_together(database):
    table, place = ProgressTable(database), (TENANT, "n-1", "sshd")
    table.save({place: Tail(7, 8)}, {TENANT: "{}"})
    table.save({place: Tail(7, 9)}, {TENANT: '{"a":1}'})
    assert table.load() == ({place: Tail(7, 9)}, {TENANT: '{"a":1}'})


def test_a_write_that_takes_too_long_is_not_waited_for():
    release, ended = threading.Event(), threading.Event()

    def write():
        release.wait(20)
        ended.set()

    with pytest.raises(Unavailable):
        BoundedWrites(0.01)(write)
    release.set()
    assert ended.wait(20)


def test_what_a_write_raises_comes_back():
    def fails():
        raise Conflict("taken")

    with pytest.raises(Conflict):
        BoundedWrites()(fails)
    done = []
    BoundedWrites()(lambda: done.append(1))
    assert done == [1]
