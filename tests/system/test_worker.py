"""The watch over a real installation: real threads, log files, database, ledger; kill -9 between decision and act."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringfence.installation import SystemClock
from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import Unavailable
from ringfence.soc.action import ActionKind
from ringfence.soc.answering import Answers
from ringfence.soc.detection.detector import Detector
from ringfence.soc.detection.shipped import rules
from ringfence.soc.playbook import shipped
from ringfence.soc.ports import NodeLogFile
from ringfence.soc.posting import Posting
from ringfence.soc.sources.auth import AuthLog
from ringfence.soc.store import METADATA, AlertTable, BoundedWrites, FindingTable, ProgressTable, SettingsTable
from ringfence.soc.worker import Watching, Worker
from ringfence.testing.home import TENANT
from ringfence.testing.soc import ATTACKER, FakeNotifiers, FakeObservers, FakeResponder, node

NODES = ("n-00000001", "n-00000002")
WAIT = 20  # seconds after which a test gives up


class Installation:
    """Services of a home, with the watch on top."""

    def __init__(self, services, folder, responder, names=NODES, **facts):
        self.services, self.folder, self.names, self.facts = services, folder, names, facts
        self.responder, self.notifiers, self.observers = responder, FakeNotifiers(), FakeObservers()
        with services.database.transaction():
            METADATA.create_all(services.database.connection())
        database, clock = services.database, services.clock
        self.findings = FindingTable(database)
        self.post = Posting(AlertTable(database), self.notifiers, services.outbox, database.transaction, clock)
        self.answers = Answers(
            self.findings, SettingsTable(database), shipped(), responder, self.observers, self.post,
            services.outbox, services.journal, database.transaction, BoundedWrites(), clock,
            lambda: os.urandom(12).hex(), lambda _tenant: False,
        )  # fmt: skip
        self.worker = Worker(
            self.answers, self, None, ProgressTable(database), AuthLog, lambda: Detector(rules()), clock
        )
        self.watching = Watching(self.worker, self.post)

    def logs(self):
        files = [NodeLogFile(node(name, **self.facts), "sshd", str(self.folder / f"{name}.log")) for name in self.names]
        return [(TENANT, file) for file in files]


def attack(path, *, success=True, source=ATTACKER, at=None):
    with path.open("a") as log:
        for name in ("root", "ada", "bob", "cyd", "dan"):  # no account often enough for a rule of its own
            log.write(f"{at or _now()} Failed password for {name} from {source} port 40022 ssh2\n")
        if success:
            log.write(f"{at or _now()} Accepted password for root from {source} port 40023 ssh2\n")


def _now():
    return to_text(datetime.now(UTC))  # noqa: TID251 - a log line carries this machine's time


def until(holds):
    for _ in range(WAIT * 50):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come about in time")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "logs"
    made.mkdir()
    for name in NODES:
        (made / f"{name}.log").touch()
    return made


def stated(services, predicate):
    services.ledger.integrate()
    return [
        logged.envelope.statement
        for logged in services.ledger.statements(TENANT)
        if logged.envelope.statement.predicate == predicate
    ]


def test_from_the_line_to_the_cut_and_the_alert(home_now, folder):
    with home_now.services(SystemClock()) as services:
        lab = Installation(services, folder, FakeResponder())
        lab.watching.start()
        try:
            until(lambda: lab.worker.lanes)
            attack(folder / "n-00000001.log")
            until(lambda: lab.responder.isolated)
            until(lambda: len(lab.notifiers.channels[0].sent) == 2)
        finally:
            lab.watching.stop()
        assert lab.responder.isolated == [(TENANT, "n-00000001")]
        claims = [statement.claims for statement in stated(services, "response.decided")]
        (cut,) = [each for each in claims if each["rule"] == "ssh-guessing-then-success"]
        assert 0 <= cut["findingAt"] <= cut["decidedAt"] <= cut["actedAt"]
        assert len(stated(services, "alert.sent")) == 2
        assert len(stated(services, "finding.raised")) == 2


def test_a_channel_that_hangs_delays_no_cut(home_now, folder):
    with home_now.services(SystemClock()) as services:
        lab = Installation(services, folder, FakeResponder())
        hanging, answered = threading.Event(), threading.Event()

        def send(_alert):
            hanging.set()
            answered.wait(2 * WAIT)

        lab.notifiers.channels[0].send = send
        lab.watching.start()
        try:
            until(lambda: lab.worker.lanes)
            attack(folder / "n-00000001.log", success=False)
            assert hanging.wait(WAIT)
            attack(folder / "n-00000002.log")
            until(lambda: lab.responder.isolated)
        finally:
            answered.set()
            lab.watching.stop()
        cut = [
            s.claims for s in stated(services, "response.decided") if s.claims["rule"] == "ssh-guessing-then-success"
        ]
        assert len(cut) == 1


@pytest.mark.sqlite
def test_a_locked_database_delays_no_cut(home_now, folder):
    with home_now.services(SystemClock()) as services:
        lab = Installation(services, folder, FakeResponder())
        lab.worker.round()
        attack(folder / "n-00000001.log")
        holder = sqlite3.connect(home_now.path / "ringfence.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        while not lab.responder.isolated:
            lab.worker.round()
        assert holder.in_transaction  # it was cut off while the database could not be written
        holder.execute("ROLLBACK")
        holder.close()
        until(lambda: swept(lab))
        assert len(lab.responder.isolated) == 1
        assert len(stated(services, "finding.raised")) == 2
        until(lambda: any(one.issuance.late for one in stated(services, "response.decided")))  # a thread waited as well
        late = [statement for statement in stated(services, "response.decided") if statement.issuance.late]
        assert {statement.claims["rule"] for statement in late} <= {"ssh-guessing", "ssh-guessing-then-success"}
        assert late


def swept(lab):
    try:
        lab.answers.sweep()
    except Unavailable:
        return False
    return not lab.answers.memory.unsaved


def alerts(lab):
    """Return what went out, after everything that is due was sent."""
    while lab.post.deliver():
        pass
    return [alert.subject for alert in lab.notifiers.channels[0].sent]


def test_a_storm_cuts_off_as_many_as_may_be_and_one_alert_speaks_for_the_rest(home, folder, clock):
    names = [f"n-{number:08x}" for number in range(10)]
    with home.services(clock) as services:
        lab = Installation(services, folder, FakeResponder(), names)
        lab.worker.round()
        for number, name in enumerate(names):
            attack(folder / f"{name}.log", source=f"203.0.113.{number + 10}", at=to_text(clock.now()))
        for _ in range(3):
            clock.advance(timedelta(seconds=1))
            lab.worker.round()
        assert len(lab.responder.isolated) == 3
        waiting = [
            raised for raised, ruled in lab.findings.waiting(TENANT, 99) if ruled.act.kind is ActionKind.ISOLATE_NODE
        ]
        assert len(waiting) == 7
        (storm,) = lab.findings.page(TENANT, limit=99, rule="response-storm")
        assert storm.finding.count == 7
        assert len([one for one in alerts(lab) if "response-storm" in one]) == 1
        assert len([one for one in alerts(lab) if "ssh-guessing-then-success" in one]) == 3, "those that were cut off"
        claims = [statement.claims for statement in stated(services, "response.decided")]
        asked = [one for each in claims for one in each["actions"] if one["reason"] == "cap-reached"]
        assert len(asked) == 7


def test_more_alerts_than_people_read_become_one(home, folder, clock):
    with home.services(clock) as services:
        lab = Installation(services, folder, FakeResponder())
        lab.worker.round()
        for number in range(40):
            attack(folder / "n-00000001.log", success=False, source=f"203.0.113.{number + 10}", at=to_text(clock.now()))
        clock.advance(timedelta(seconds=1))
        lab.worker.round()
        sent = alerts(lab)
        assert len([one for one in sent if "ssh-guessing" in one]) == 30
        assert len([one for one in sent if "response-storm" in one]) == 1
        assert len(lab.responder.blocked) == 40, "an alert that is not sent stops no block"
        clock.advance(timedelta(minutes=11))
        attack(folder / "n-00000001.log", success=False, source="203.0.113.99", at=to_text(clock.now()))
        lab.worker.round()
        assert len(alerts(lab)) == 32, "the window is over"


def test_before_half_an_hour_of_isolation_somebody_is_told_once(home, folder, clock):
    with home.services(clock) as services:
        lab = Installation(services, folder, FakeResponder(), serves=True, contained_since=clock.now())
        clock.advance(timedelta(minutes=19, seconds=59))
        lab.worker.round()
        assert alerts(lab) == []
        for _ in range(5):
            clock.advance(timedelta(minutes=2))
            lab.worker.round()
        told = [one for one in alerts(lab) if "availability-threshold" in one]
        assert len(told) == len(NODES), "each node once"
        lab.worker.close()
        again = Installation(
            services, folder, FakeResponder(), serves=True, contained_since=lab.facts["contained_since"]
        )
        again.worker.round()
        assert alerts(again) == [], "and not again after a restart"
        found = [statement.claims["rule"] for statement in stated(services, "finding.raised")]
        assert found == ["availability-threshold"] * len(NODES)
        assert lab.responder.isolated == lab.responder.blocked == []


CHILD = """
import os, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from test_worker import Installation, Dying
from ringfence.installation import SystemClock
from ringfence.app import open_services
from ringfence.settings import Settings
with open_services(Settings(home=Path({home!r})), clock=SystemClock()) as services:
    lab = Installation(services, Path({folder!r}), Dying(Path({trace!r}), {die!r}))
    for _ in range(3):
        lab.worker.round()
    lab.answers.sweep()
    lab.post.deliver()
    lab.worker.close()
"""


class Dying:
    """A responder that writes down what it did, and is killed where the test says."""

    def __init__(self, trace, die):
        self.trace, self.die = trace, die

    def _act(self, what):
        if self.die == f"before-{what}":
            os.kill(os.getpid(), signal.SIGKILL)
        with self.trace.open("a") as file:
            file.write(what + "\n")
            file.flush()
            os.fsync(file.fileno())
        if self.die == f"after-{what}":
            os.kill(os.getpid(), signal.SIGKILL)

    def quarantine(self, _tenant, _node, **_why):
        self._act("quarantine")

    def block(self, _tenant, _address, **_why):
        self._act("block")


def _child(home, folder, trace, die):
    text = CHILD.format(
        here=str(Path(__file__).parent), home=str(home.path), folder=str(folder), trace=str(trace), die=die
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(home.path)}
    return subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "die",
    [
        "before-quarantine",
        "after-quarantine",
        pytest.param("before-block", marks=pytest.mark.soak),
        pytest.param("after-block", marks=pytest.mark.soak),
    ],
)
def test_kill_9_between_decision_and_act_loses_and_repeats_nothing(home_now, folder, tmp_path, die):
    trace = tmp_path / "trace"
    attack(folder / "n-00000001.log")
    assert _child(home_now, folder, trace, die).returncode == -signal.SIGKILL
    again = _child(home_now, folder, trace, "never")
    assert again.returncode == 0, again.stderr.decode()
    done = trace.read_text().split()
    limit = {"after-block": {"block": 2}, "after-quarantine": {"quarantine": 2}}.get(die, {})
    for what in ("block", "quarantine"):  # twice only where it died before it could write that it was done
        assert 1 <= done.count(what) <= limit.get(what, 1), json.dumps(done)
    with home_now.services(SystemClock()) as services:
        assert len(stated(services, "finding.raised")) == 2
        rulings = [statement.claims["rule"] for statement in stated(services, "response.decided")]
        assert sorted(rulings) == ["ssh-guessing", "ssh-guessing-then-success"]
