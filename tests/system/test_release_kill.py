"""Kill -9 around the record of a release: no key is gone and no denial told that the log does not hold afterwards."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from ringfence.artifacts.blobs import Home as Vaults
from ringfence.artifacts.model import DatasetId
from ringfence.artifacts.opening import check, open_manifest
from ringfence.installation import SystemClock
from ringfence.kernel.actor import Role
from ringfence.keyrelease.model import LeaseState
from ringfence.keyrelease.reconcile import Rounds
from ringfence.ledger.model import Standing
from ringfence.testing.clock import FakeClock
from ringfence.testing.home import TENANT, make
from ringfence.testing.keyrelease import World
from ringfence.testing.program import environment
from ringfence.testing.releases import NAME, Ground, over
from ringfence.testing.staged import empty

STEPS = ("judged", "denied", "recorded", "published", "wrapped", "delivered")
ROUNDS = 60
CHILD = """
import json, os, random, signal, sys, time
from dataclasses import replace
from pathlib import Path
from ringfence.app import open_services
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.errors import Refused, TooManyAttempts
from ringfence.keyrelease import wrapping
from ringfence.keyrelease.model import Ending, Wish
from ringfence.settings import Settings
from ringfence.testing.home import TENANT
from ringfence.testing.keyrelease import WORKLOAD, World
from ringfence.testing.releases import over
import ringfence.workloads.releasing

home, node, person, steps = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4].split()
caller = Person(person, TENANT, Role.ENGINEER)

def told(name, line):
    kept = os.open(home.parent / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(kept, line.encode() + b"\\n")
    os.close(kept)

class Before:
    def __init__(self, inner, name, end):
        self.inner, self.name, self.end = inner, name, end
    def __getattr__(self, name):
        if name == self.name:
            self.end()
        return getattr(self.inner, name)

class Door:
    "What leaves, leaves here."
    def __init__(self, inner, before, after):
        self.inner, self.before, self.after = inner, before, after
    def __getattr__(self, name):
        return getattr(self.inner, name)
    def deliver(self, target, released):
        self.before()
        told("left", json.dumps([str(wrapping.parse(released).terms.statement)]))
        self.inner.deliver(target, released)
        told("held", json.dumps([key.hex() for key in world.nodes["alpha"].held.values()]))
        self.after()

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def at(wanted, step):
    return die if wanted == step else lambda: None

def keys(services, step):
    made = over(services, world)
    of = made.colleagues
    of = replace(
        of,
        appraiser=Before(of.appraiser, "judge", at(step, "judged")),
        broker=Before(of.broker, "wrap", at(step, "published")),
        attester=Door(of.attester, at(step, "wrapped"), at(step, "delivered")),
    )
    return replace(made, publication=Before(made.publication, "published", at(step, "recorded")), colleagues=of)

def ask(service, purpose):
    try:
        service.release(caller, Wish("claims", "alpha", purpose, WORKLOAD))
        told("replies", "released")
    except TooManyAttempts:  # a node has room for a few leases: nothing was asked, and nothing is recorded
        for lease in service.store.leases():
            service.leasing.end(lease, Ending.NOT_DELIVERED)
    except Refused:
        told("replies", "denied")

world = World()
world.nodes["alpha"].target = replace(world.nodes["alpha"].target, node=node)
chance, ended = random.Random(7), []
for step in steps:
    ready, go = os.pipe()
    pid = os.fork()
    if not pid:
        with open_services(Settings(home=home)) as services:
            os.write(go, b"!")
            if step != "any":
                denied = step == "denied"
                ask(keys(services, "recorded" if denied else step), "other" if denied else "training")
                os._exit(0)
            service = keys(services, step)
            for lease in service.store.leases():
                service.leasing.end(lease, Ending.NOT_DELIVERED)
            while True:
                for purpose in ("training", "other"):
                    ask(service, purpose)
    os.read(ready, 1)
    if step == "any":
        time.sleep(chance.random() * 3)
        os.kill(pid, signal.SIGKILL)
    ended.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(json.dumps(ended))
"""


@pytest.fixture
def ground(tmp_path):
    """A home in which a rule stands, closed again: the children open it."""
    home = make(tmp_path / "home")
    with empty(home, SystemClock()) as stage:
        made = Ground(stage, SystemClock())
        made.allow()
    return made


def killed(ground, steps):
    """Ask in one process after the other, and kill each; return what left, what was held and what was answered."""
    home = ground.home
    arguments = (str(home.path), ground.node.id, home.people[Role.ENGINEER].id, " ".join(steps))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *arguments], env=environment({}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [-9] * len(steps), done.stderr
    files = [home.path.parent / name for name in ("left", "held", "replies")]
    left, held, replies = (path.read_text().splitlines() if path.exists() else [] for path in files)
    return [json.loads(line)[0] for line in left], [json.loads(line)[-1] for line in held], replies


def judged(ground, left, replies, *, counted):
    """Open what was killed: everything that left and everything that was answered is in the log."""
    ground.fakes = World()
    with ground.home.services(SystemClock()) as services:
        services.ledger.integrate()
        logged = services.ledger.statements(TENANT, ("key.released", "key.denied"))
        assert all(one.standing is Standing.TRUSTED for one in logged)
        released = {str(one.envelope.digest) for one in logged if one.envelope.statement.predicate == "key.released"}
        denied = [one.envelope.statement for one in logged if one.envelope.statement.predicate == "key.denied"]
        assert set(left) <= released
        assert replies.count("released") <= len(released)
        waiting = services.keyrelease.store.denials(TENANT, ground.node.id)
        recorded = sum(1 + said.claims["unrecorded"] for said in denied) + (waiting.unrecorded if waiting else 0)
        assert recorded >= replies.count("denied") + counted
        later = FakeClock(services.clock.now() + timedelta(seconds=61))
    with ground.home.services(later) as services:
        broken_off = [one.id for one in services.keyrelease.store.leases() if one.state is LeaseState.GRANTED]
        Rounds(over(services, ground.fakes))()
        services.ledger.integrate()
        ended = [
            one.envelope.statement.claims["lease"]
            for one in services.ledger.statements(TENANT, ("lease.ended",))
            if one.envelope.statement.claims["because"] == "not-delivered"
        ]
        assert set(broken_off) <= set(ended)
        assert len(ended) == len(set(ended))
        assert not services.keyrelease.store.leases()
    return released, broken_off


def test_a_kill_between_record_and_reply_or_delivery_leaves_the_record(ground):
    left, held, replies = killed(ground, STEPS)
    assert replies == []
    assert len(left) == len(held) == 1  # the last one: the others never had it
    released, broken_off = judged(ground, left, replies, counted=1)
    assert len(released) == len(broken_off) == 4  # recorded, published, wrapped, delivered
    stored = ground.home.stored()
    assert bytes.fromhex(held[0]) not in stored
    assert held[0].encode() not in stored
    with Vaults(ground.home.path).vault(DatasetId(NAME), 1) as vault:  # it was the real key that did not leak
        assert open_manifest(vault, check(vault, ground.seal, 1), bytearray.fromhex(held[0])).files


@pytest.mark.soak
def test_at_no_moment_does_a_kill_lose_a_record(ground):
    left, _, replies = killed(ground, ["any"] * ROUNDS)
    assert replies  # some were answered before they were killed
    with ground.home.services(SystemClock()) as services:  # what the last one had left alive
        for lease in services.keyrelease.store.leases():
            if lease.state is LeaseState.LIVE:
                services.keyrelease.leasing.end_for(ground.home.actor(), lease.id)
    judged(ground, left, replies, counted=0)
