"""The attacks of the tour, one at a time, on a node of the practice ground; deciding is left to a person."""

import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence.fabric.client import Fabric
from ringfence.frontends.client import SOCKET, listening
from ringfence.kernel.errors import Unavailable
from ringfence.storage.turns import replacing
from ringfence.tour import duties
from ringfence.tour.attack import OUTSIDE, break_in, exposed, guess, organise
from ringfence.tour.lab import Stranger, until
from ringfence.tour.place import no_nodes
from ringfence.tour.stage import Command, Stage, make, prepare
from ringfence.workloads.practice import ground
from ringfence.workloads.practice.playing import Attack

NODE = "practice-{}"


def ready(home: Path) -> None:
    """Make the ground where there is none: a demo installation with people, customers, and a scope still to sign."""
    if not ground.is_made(home):
        people = make(home, ground.origin())
        organise(home, people[-1].id)


def end_with_parent() -> None:
    """End this process, as a signal would, once whoever started it has closed our standard input, or is gone."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=watch, name="parent", daemon=True).start()


def attack(home: Path, which: Attack, run_verb: Command, show: Callable[[str], None]) -> dict[str, Any]:
    """Play one attack on a node that is made for it; return where a person goes on.

    Raises:
        Unavailable: the ground does not run, another attack does, or this machine can make no such node.
    """
    ground.check_practising(home)
    if not listening(home / SOCKET):
        raise Unavailable("the practice does not run; start it with `ringfence practice start`")
    stage = prepare(home, run_verb, show)
    # Another one, from a page or a terminal, would stop the node that this one is played on.
    with replacing(stage.work, "an attack is being played; wait for what comes of it", patience=0):
        if because := no_nodes(stage):
            raise Unavailable(because)
        return _played(stage, which)


def _played(stage: Stage, which: Attack) -> dict[str, Any]:
    _scoped(stage)
    node = _next_node(stage)
    password = secrets.token_urlsafe(9)
    host = exposed(stage, node, password)
    fabric = Fabric.open(stage.home / "fabric")
    address = OUTSIDE.format(2 + secrets.randbelow(250))
    with Stranger(fabric, f"stranger-{secrets.token_hex(3)}", address, stage.work) as stranger:
        if which is Attack.GUESSES:
            finding, facts = guess(stage, stranger, host), {}
        else:
            read, finding = break_in(stage, node, stranger, host, password)
            facts = {"read before the cut": f"{read} bytes of /data/weights.bin"}
    incident = until(lambda: _about(stage, node), "an incident to decide on")
    facts |= {"done": "; ".join(act["says"] for act in finding["actions"])}
    return {"attack": which.value, "node": node, "finding": finding["finding"], "incident": incident, "facts": facts}


def _scoped(stage: Stage) -> None:
    """Classify the sample organisation once: otherwise it is open which clocks a significant incident starts."""
    if not stage.quietly("ledger", "list", "--predicate", "entity.classification", "--limit", "1")["statements"]:
        duties.scope(stage)


def _next_node(stage: Stage) -> str:
    """Stop the nodes of earlier practice, save those that are still cut off; return the name of the next."""
    nodes = stage.quietly("node", "list")["nodes"]
    mine = [node for node in nodes if str(node["name"]).startswith(NODE.format(""))]
    for node in mine:
        if node["containment"] == "none":
            stage.quietly("node", "stop", node["name"])
    return NODE.format(secrets.token_hex(2))


def _about(stage: Stage, node: str) -> str | None:
    """Return the incident that is about a node, once there is one."""
    known = stage.quietly("node", "show", node)["node"]
    for one in stage.quietly("incident", "list")["incidents"]:
        if known in one["nodes"]:
            return str(one["incident"])
    return None
