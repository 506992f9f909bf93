"""Killed while it cuts off or frees, without its helper, and with a full disk: in the end everything agrees."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringfence import components
from ringfence.compute.blobs import IntentFile
from ringfence.fabric import launch
from ringfence.fabric.model import PortState
from ringfence.kernel.actor import Role
from ringfence.testing import lab as labs
from ringfence.testing.home import make

pytestmark = pytest.mark.skipif(bool(labs.missing()), reason=labs.missing() or "-")
ROUNDS = [3, pytest.param(30, marks=pytest.mark.soak)]
OUTSIDE = "203.0.113.0/24"  # never blocked here: a block might be quicker than the right password
ATTACK, RELEASE = 2.0, 1.0  # seconds within which the kill may come, about as long as each takes
ONCE = ("quarantine.requested", "quarantine.confirmed", "forensics.collected", "quarantine.released")


@pytest.fixture
def lab(made_now, tmp_path):
    with labs.running(made_now.copy(tmp_path / "home"), tmp_path / "work") as made:
        made.settle(isolations=1000, cooldown_seconds=0, never_block=[OUTSIDE])
        made.node = made.start("lab", password=True)
        yield made


def attack(lab, number):
    """Begin to guess and to come in, from an address that was not seen before."""
    stranger = lab.stranger(f"203.0.113.{number + 1}")
    passwords = [*labs.wrong(), lab.password]
    return subprocess.Popen(
        stranger.command(lab.node["network_address"], len(passwords), "sleep 30"),
        env=stranger.environment(passwords), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def agreed(lab):
    """Return the node once rows, wishes, statements and the kernel say the same of it."""

    def found():
        shown = lab.show("lab")
        intents = IntentFile(lab.home.path / "journal" / "intents").all()
        cut = lab.net.fabric.nodes()[lab.node["node"]] == PortState.QUARANTINED
        known = (shown["containment"], lab.node["node"] in intents, cut)
        return shown if known in {("none", False, False), ("quarantined", True, True)} else None

    return lab.until(found, "rows, wishes and kernel to agree")


def stated_once(lab):
    for predicate in ONCE:
        numbers = [one.statement.claims["number"] for one in lab.stated(predicate)]
        assert len(numbers) == len(set(numbers)), f"{predicate} was stated twice of one quarantine: {numbers}"
    keys = [(one.statement.predicate, one.statement.issuance.idempotency_key, one.statement.issuance.issuer)
            for name in ("finding.raised", "response.decided", "alert.sent") for one in lab.stated(name)]  # fmt: skip
    assert len(keys) == len(set(keys))


def free(lab, killed=None):
    """Release the node by two people; with `killed`, the server dies meanwhile."""
    asked = lab.ask("node", "release", "lab", "--reason", "clean")
    command = [sys.executable, "-m", "ringfence", "node", "release", "lab", "--approve", asked["request"], "--json"]
    environment = {**os.environ, **lab.home.environment(Role.OWNER)}
    approving = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if killed is not None:
        time.sleep(killed)
        lab.kill()
    approving.wait(timeout=60)
    if killed is not None:
        lab.serve()


@pytest.mark.parametrize("rounds", ROUNDS)
def test_whenever_it_is_killed_it_comes_to_agree(lab, rounds):
    moments = random.Random(os.environ.get("RINGFENCE_SEED", "restart"))  # noqa: S311 - not a secret
    for number in range(rounds):
        session = attack(lab, number)
        time.sleep(moments.uniform(0.2, ATTACK))
        if number % 3 == 2:
            lab.net.kill(launch.HELPER)
        lab.kill()
        session.kill()
        session.wait()
        lab.serve()
        shown = agreed(lab)
        came_in = (
            f"Accepted password for ringfence from 203.0.113.{number + 1} "
            in (lab.home.path / "nodes" / lab.node["node"] / "sshd.log").read_text()
        )
        if came_in:
            assert lab.isolated("lab")["held"]["finding"]
            agreed(lab)
        elif shown["containment"] == "none":
            continue
        stated_once(lab)
        free(lab, killed=moments.uniform(0.5, 0.5 + RELEASE))
        if agreed(lab)["containment"] == "quarantined":
            free(lab)
            assert agreed(lab)["containment"] == "none"
        stated_once(lab)
    assert lab.stated("quarantine.confirmed")


def test_the_node_stays_cut_off_whatever_of_ours_dies(lab):
    session = attack(lab, 0)
    number = lab.isolated("lab")["held"]["number"]
    session.kill()
    session.wait()
    lab.kill()
    lab.net.kill(launch.HELPER)
    newcomer = lab.stranger("203.0.113.77")
    assert not newcomer.connects(lab.node["network_address"])
    lab.serve()
    assert agreed(lab)["held"]["number"] == number
    assert not newcomer.connects(lab.node["network_address"])
    stated_once(lab)


def test_nothing_is_left_after_kills(made_now, tmp_path):
    with labs.running(made_now.copy(tmp_path / "home"), tmp_path / "work") as lab:
        lab.settle(never_block=[OUTSIDE])
        lab.node = lab.start("lab", password=True)
        session = attack(lab, 0)
        time.sleep(0.5)
        lab.kill()
        lab.net.kill(launch.HELPER)
        session.kill()
        session.wait()
        lab.serve()
        agreed(lab)
    assert lab.left() == []


def on_a_full_disk(folder):
    """Play the attack on a disk of its own that is full, and print what was seen (run in a mount namespace)."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192m,mode=0700", "tmpfs", str(folder)], check=True)
    with labs.running(make(folder / "home"), folder.with_name("elsewhere")) as lab:
        lab.settle(never_block=[OUTSIDE])
        lab.node = lab.start("lab", password=True)
        stranger = lab.stranger("203.0.113.5")
        guesses = [*labs.wrong(), lab.password]
        command = stranger.command(lab.node["network_address"], len(guesses), "sleep 30")
        given = stranger.environment(guesses)
        ballast = folder / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(2**16)):
                    pass
            except OSError:
                pass
            session = subprocess.Popen(command, env=given, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)  # fmt: skip
            fabric, node = lab.net.fabric, lab.node["node"]
            lab.until(lambda: fabric.nodes()[node] == PortState.QUARANTINED, "the cut with a full disk")
            session.kill()
            session.wait()
        ballast.unlink()
        lab.until(lambda: lab.stated("quarantine.confirmed"), "the statement of the cut")
        late = {one.statement.predicate for name in ("quarantine.requested", "quarantine.confirmed")
                for one in lab.stated(name) if one.statement.issuance.late}  # fmt: skip
        lab.isolated("lab")
        stated_once(lab)
        sys.stdout.write(json.dumps({"late": sorted(late), "containment": agreed(lab)["containment"]}) + "\n")


def test_a_full_disk_delays_no_cut_and_the_gap_shows(tmp_path):
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    folder = tmp_path / "disk"
    folder.mkdir()
    command = [str(components.find("unshare").path), *user, "--mount", "--", sys.executable, str(Path(__file__)),
               str(folder)]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen == {"late": ["quarantine.confirmed", "quarantine.requested"], "containment": "quarantined"}


if __name__ == "__main__":
    on_a_full_disk(Path(sys.argv[1]))
