"""Place: two nodes of both classes, reached by SSH with a certificate of minutes, the host key known beforehand."""

import subprocess
import sys
import time
from typing import Any

from ringfence.tour.lab import password_file
from ringfence.tour.stage import Stage, environment

CLASSES = (("small", "namespace"), ("machine", "vm"))


def place(stage: Stage) -> dict[str, Any]:
    """Start what can run here, run a command on each node, and say how long that took."""
    stop(stage)
    offers = {offer["class"]: offer for offer in stage.expect("node", "offers")["offers"]}
    facts: dict[str, Any] = {}
    for name, node_class in CLASSES:
        offer = offers.get(node_class)
        if offer is None or not offer["available"]:
            facts[node_class] = f"cannot run here: {offer['because'] if offer else 'unknown'}"
            continue
        started = time.monotonic()
        node = stage.expect("node", "start", name, "--class", node_class)
        ready = round(time.monotonic() - started, 2)
        answer = on_node(stage, name, "uname", "-sr")
        seconds = round(time.monotonic() - started, 2)
        facts[node_class] = (
            f"ready in {ready} s, command by SSH after {seconds} s (both commands included), "
            f"{node['isolation']}, says {answer.strip()!r}"
        )
    return facts


def no_nodes(stage: Stage) -> str:
    """Say why no node can be made here; empty where one can."""
    offers = {offer["class"]: offer for offer in stage.quietly("node", "offers")["offers"]}
    offer = offers["namespace"]
    return "" if offer["available"] else f"no namespace node can run here: {offer['because']}"


def open_to_passwords(stage: Stage, name: str, password: str) -> dict[str, Any]:
    """Start a node that deliberately lets a password in from outside; return what is shown of it."""
    file = password_file(stage.work, password)
    stage.expect("node", "start", name, "--class", "namespace", "--expose", "22", "--password-file", str(file))
    return stage.expect("node", "show", name)


def clear(stage: Stage, *names: str) -> None:
    """Stop nodes that an earlier tour has left; one that is still cut off is released by two people first."""
    for node in stage.quietly("node", "list")["nodes"]:
        if node["name"] not in names:
            continue
        if node["containment"] != "none":
            reason = "left by an earlier tour"
            asked = stage.quietly("node", "release", node["name"], "--reason", reason, by=stage.security)
            stage.quietly("node", "release", node["name"], "--approve", asked["request"], by=stage.owner)
        stage.quietly("node", "stop", node["name"])


def stop(stage: Stage) -> None:
    """Stop the nodes of this step."""
    clear(stage, *(name for name, _ in CLASSES))


def on_node(stage: Stage, name: str, *command: str) -> str:
    """Run a command on a node as the engineer; ssh writes to the descriptors of a process, so it is a process."""
    stage.show(f"$ ringfence node ssh {name} -- {' '.join(command)}")
    done = subprocess.run(  # noqa: S603 - ours
        [*ssh_command(name), *command],
        check=True,
        env=environment(stage.home, stage.engineer),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=120,
    )
    return done.stdout.decode("utf-8", "replace")


def ssh_command(name: str) -> list[str]:
    """Return the command that runs another on a node."""
    return [sys.executable, "-I", "-m", "ringfence", "node", "ssh", name, "--"]
