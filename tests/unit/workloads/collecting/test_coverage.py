from datetime import timedelta

import pytest

from ringfence.soc.action import NodeFacts
from ringfence.soc.ports import NodeLogFile
from ringfence.testing.clock import FakeClock
from ringfence.testing.collecting import FakeFiles
from ringfence.testing.home import TENANT
from ringfence.workloads.collecting.coverage import CLASSES, COVERAGE, LEDGER, Coverage, Source, draft
from ringfence.workloads.collecting.wires import collectors

BEAT = 10


@pytest.fixture
def looking():
    def made(clock, *, written=None, nodes=("n-00000001",), served=(), network=False, newest=True):
        facts = NodeFacts("n-00000001", "trainer", "namespace", training=False, serves=False, contained_since=None)
        log = NodeLogFile(facts, "sshd", "sshd.log", running=True, heartbeat_seconds=BEAT)
        return Coverage(
            logs=lambda: [(TENANT, log)],
            nodes=lambda _: nodes,
            served=lambda _: served,
            access_log="access.log",
            network=lambda: network,
            newest=lambda _: clock.now() if newest else None,
            files=FakeFiles(written or {}),
            clock=clock,
        )(TENANT).claims

    return made


def test_every_one_of_the_twelve_is_either_covered_or_not(looking, clock):
    found = looking(clock, written={"sshd.log": clock.now()})
    assert sorted(found["classes"] + found["uncovered"]) == sorted(CLASSES)
    assert len(CLASSES) == len(set(CLASSES)) == 12


def test_what_no_source_of_ours_tells_of_stays_uncovered(looking, clock):
    written = {"sshd.log": clock.now(), "access.log": clock.now()}
    found = looking(clock, written=written, served=("chat",), network=True)
    none = {"resource-use", "physical-access", "network-devices", "environment", "configuration-and-backup-access"}
    assert set(found["uncovered"]) == none
    assert (found["assets"], found["assetsCovered"], found["silent"]) == (4, 4, 0)


def test_a_log_that_missed_three_heartbeats_covers_nothing(looking, clock):
    just = {"sshd.log": clock.now() - timedelta(seconds=3 * BEAT - 1)}
    assert looking(clock, written=just)["assetsCovered"] == 2
    late = looking(clock, written={"sshd.log": clock.now() - timedelta(seconds=3 * BEAT)})
    assert (late["assets"], late["assetsCovered"], late["silent"]) == (2, 1, 1)
    assert "authentication" in late["uncovered"]


def test_a_log_that_is_not_there_is_silent(looking, clock):
    assert looking(clock)["silent"] == 1
    served = looking(clock, served=("chat",), written={"sshd.log": clock.now()})
    assert (served["silent"], served["assetsCovered"]) == (1, 2)


def test_a_gateway_that_serves_nothing_logs_who_asks(looking, clock):
    found = looking(clock, nodes=(), written={"sshd.log": clock.now(), "access.log": clock.now()})
    assert (found["assets"], found["assetsCovered"]) == (2, 2)
    assert "access" in found["classes"]


def test_a_node_without_any_log_is_an_asset_that_is_not_covered(looking, clock):
    found = looking(clock, nodes=("n-00000001", "n-00000002"), written={"sshd.log": clock.now()})
    assert (found["assets"], found["assetsCovered"]) == (3, 2)


def test_a_ledger_without_a_statement_covers_nothing(looking, clock):
    assert "log-state" in looking(clock, newest=False)["uncovered"]


def test_a_source_of_nobody_that_is_registered_covers_no_asset():
    now = FakeClock().now()
    found = draft(TENANT, [LEDGER], [Source("node stranger", frozenset({"authentication"}), now)], now).claims
    assert (found["assets"], found["assetsCovered"]) == (1, 0)


def test_an_installation_covers_itself(services):
    collectors(services)[COVERAGE](TENANT)
    found = services.ledger.page(TENANT, limit=1)[0].envelope.statement.claims
    assert (found["assets"], found["assetsCovered"], found["silent"]) == (1, 1, 0)
