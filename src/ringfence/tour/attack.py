"""Attack: from an attacker's network to a node that is cut off, a decision that is signed, and an early warning.

First failed guesses: the source is blocked, a person calls it not significant, no clock starts. Then a leaked
password works and data are read, which alone nobody can tell from work; guesses before the next log-in give it away,
and the node is cut off outside of itself, while its neighbour loses nothing.
"""

import json
import secrets
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ringfence.fabric.client import Fabric
from ringfence.kernel.errors import VerificationFailed
from ringfence.kernel.identifier import PersonId
from ringfence.storage.files import PRIVATE, write_whole
from ringfence.tour import diskfull
from ringfence.tour.lab import Neighbour, Stranger, installation, until
from ringfence.tour.place import clear, on_node, open_to_passwords, ssh_command, stop
from ringfence.tour.stage import TENANT, Stage, environment

NODE, NEIGHBOUR = "lab", "neighbour"
OUTSIDE = "203.0.113.{}"  # documentation addresses, in namespaces of this step
GUESSES, FEWER = 6, 4  # five are blocked
WEIGHTS = 2**20  # bytes of the file that is read
CUSTOMERS = ("hospital-group", "car-maker")


def attack(stage: Stage) -> dict[str, Any]:
    """Play both attacks, and the second one again with the disk full."""
    offers = {offer["class"]: offer for offer in stage.expect("node", "offers")["offers"]}
    if not offers["namespace"]["available"]:
        return {"attack": f"not played: no namespace node can run here: {offers['namespace']['because']}"}
    organise(stage.home, stage.security)
    with ExitStack() as scene:
        scene.enter_context(installation(stage.home))
        with ExitStack() as actors:
            facts = _played(stage, actors)
        clear(stage, NODE, NEIGHBOUR)
        stop(stage)
    Fabric((stage.home / "fabric").absolute()).close(end=True)  # no node is left that it would serve
    facts |= {"with the disk full": diskfull.play(stage)}
    return facts


def _played(stage: Stage, scene: ExitStack) -> dict[str, Any]:
    password = secrets.token_urlsafe(9)
    host = _nodes(stage, password)
    fabric = Fabric.open(stage.home / "fabric")
    first = 2 + 2 * secrets.randbelow(120)  # those of an earlier tour may still be blocked
    guesser = scene.enter_context(Stranger(fabric, "guesser", OUTSIDE.format(first), stage.work))
    intruder = scene.enter_context(Stranger(fabric, "intruder", OUTSIDE.format(first + 1), stage.work))
    facts: dict[str, Any] = {"guessing": _guessing(stage, guesser, host)}
    neighbour = scene.enter_context(_neighbour(stage))
    facts |= _breaking_in(stage, intruder, host, password)
    facts["neighbour"] = _unharmed(neighbour, fabric, stage)
    facts |= _deciding(stage)
    facts["release"] = _releasing(stage)
    return facts


def organise(home: Path, by: PersonId) -> None:
    """Write what the sample organisation filled in beforehand: customers with a contract, and the report's head."""
    fields = {"entity": "Example Inference GmbH, hosted inference API, Germany", "contact": "Sara Demo (security)"}
    tenant = {
        "customers": [{"id": customer, "hours": 12} for customer in CUSTOMERS],
        "fields": {name: {"text": text, "by": by} for name, text in fields.items()},
    }
    file = home / "organisation.json"
    document = {"format": "urn:ringfence:organisation:v1", "tenants": {TENANT: tenant}}
    write_whole(file, (json.dumps(document, indent=2) + "\n").encode(), mode=PRIVATE)


def _nodes(stage: Stage, password: str) -> str:
    """Start a node that deliberately lets passwords in, and its neighbour; return the first one's address."""
    clear(stage, NODE, NEIGHBOUR)
    host = exposed(stage, NODE, password)
    stage.expect("node", "start", NEIGHBOUR, "--class", "namespace")
    return host


def exposed(stage: Stage, name: str, password: str) -> str:
    """Start a node with weights on it that deliberately lets a password in from outside; return its address."""
    node = open_to_passwords(stage, name, password)
    on_node(stage, name, "sh", "-c", f"head -c {WEIGHTS} /dev/urandom > /data/weights.bin")
    return str(node["network_address"])


def guess(stage: Stage, guesser: Stranger, host: str) -> dict[str, Any]:
    """Guess passwords, none of them right; return the finding once it was acted on."""
    stage.show(f"a stranger at {guesser.address} guesses {GUESSES} passwords")
    for _ in range(GUESSES):
        guesser.log_in(host, secrets.token_hex(4), "true", seconds=8)
    found = until(lambda: _finding(stage, "ssh-guessing", guesser.address), "a finding about the guesses")
    return dict(found)


def _guessing(stage: Stage, guesser: Stranger, host: str) -> str:
    finding = guess(stage, guesser, host)
    incident = until(lambda: _open_incident(stage), "an incident to look at")
    stage.expect(
        "incident", "triage", incident, "--not-significant", "--reason", "guessing from outside, none succeeded",
        by=stage.security,
    )  # fmt: skip
    shown = stage.expect("incident", "show", incident)
    running = [clock for clock in shown["clocks"] if clock["state"] == "pending"]
    if running:
        raise VerificationFailed("a clock runs although the incident was called not significant")
    stage.expect("incident", "close", incident, "--reason", "the source is blocked", by=stage.security)
    return f"{_says(finding)}; called not significant and signed; no clock runs"


def break_in(stage: Stage, node: str, intruder: Stranger, host: str, password: str) -> tuple[int, dict[str, Any]]:
    """Come in with a leaked password and read; after guesses the node is cut off: the bytes read, and the finding."""
    stage.show(f"another at {intruder.address} has a leaked password and reads /data/weights.bin; that is no finding")
    read = intruder.log_in(host, password, "cat /data/weights.bin", seconds=20)
    if len(read.stdout) != WEIGHTS:
        raise VerificationFailed("the intruder could not read what this step is about")
    stage.show("later its program tries a list of old passwords first, and then comes in again")
    for _ in range(FEWER):
        intruder.log_in(host, secrets.token_hex(4), "true", seconds=8)
    intruder.log_in(host, password, "sleep 30", seconds=20)
    until(lambda: stage.quietly("node", "show", node)["containment"] == "quarantined", "the cut")
    found = until(lambda: _finding(stage, "ssh-account-guessed", intruder.address), "a finding about the success")
    return len(read.stdout), dict(found)


def _breaking_in(stage: Stage, intruder: Stranger, host: str, password: str) -> dict[str, Any]:
    read, finding = break_in(stage, NODE, intruder, host, password)
    isolated = next(act for act in finding["actions"] if act["action"] == "isolate-node")
    held = stage.expect("node", "show", NODE)["held"]
    again = intruder.log_in(host, password, "true", seconds=8)
    if again.returncode == 0:
        raise VerificationFailed("the intruder came in again after the cut")
    return {
        "read before the cut": f"{read} bytes",
        "cut off": {
            "line to decision": f"{isolated['decided_ms']} ms",
            "line to isolated and probed": f"{isolated['acted_ms']} ms",
            "the cut itself": f"{held['cut_micros']} µs",
            "evidence before the cut": str(held["evidence"])[:19] + "…",
            "probes": ", ".join(f"{probe['path']} {probe['observed']}" for probe in held["probes"]),
        },
    }


def _neighbour(stage: Stage) -> Neighbour:
    return Neighbour([*ssh_command(NEIGHBOUR), "cat"], environment(stage.home, stage.engineer))


def _unharmed(neighbour: Neighbour, fabric: Fabric, stage: Stage) -> str:
    node = stage.quietly("node", "show", NEIGHBOUR)["node"]
    before = neighbour.echoed
    until(lambda: neighbour.echoed > before + 5, "the neighbour's stream after the cut")
    dropped = sum(flow.packets for flow in fabric.flows() if flow.source_node == node and flow.verdict == "denied")
    if neighbour.sent - neighbour.echoed > 10:
        raise VerificationFailed("the neighbour's stream lost lines")
    longest = round(neighbour.longest * 1000)
    return f"{neighbour.echoed} lines went and came back meanwhile, longest gap {longest} ms, {dropped} packets dropped"


def _deciding(stage: Stage) -> dict[str, Any]:
    incident = until(lambda: _open_incident(stage), "an incident to decide on")
    shown = stage.expect("incident", "show", incident)
    proposed = [row["code"] for row in shown["criteria"] if row["proposed"]]
    stage.expect(
        "incident", "triage", incident, "--significant", "--criteria", ",".join(proposed),
        "--malicious", "yes", "--reason", "a stranger came in with a leaked password and read the weights",
        by=stage.security,
    )  # fmt: skip
    clocks = stage.expect("incident", "show", incident)["clocks"]
    started = time.monotonic()
    drafts = [str(stage.work / f"early-warning.{kind}") for kind in ("pdf", "json")]
    for draft in drafts:
        stage.expect("report", "early-warning", incident, "-o", draft, "--force", by=stage.security)
    seconds = round((time.monotonic() - started) / len(drafts), 2)
    return {
        "proposed": ", ".join(proposed),
        "clocks": {f"{clock['ref']} {clock['customer'] or ''}".strip(): _due(clock) for clock in clocks},
        "drafted": f"early-warning.pdf and .json, {seconds} s each; nobody has filed it",
    }


def _due(clock: dict[str, Any]) -> str:
    return f"{clock['state']}, due {clock['due_at'] or 'on request'}"


def _releasing(stage: Stage) -> str:
    reason = "password changed, weights withdrawn"
    asked = stage.expect("node", "release", NODE, "--reason", reason, by=stage.security)
    alone = stage.run("node", "release", NODE, "--approve", asked["request"], by=stage.security)
    if alone.code == 0:
        raise VerificationFailed("one person alone released a node")
    stage.expect("node", "release", NODE, "--approve", asked["request"], by=stage.owner)
    on_node(stage, NODE, "true")
    return f"asked by one person, refused to the same person ({alone.said}), approved by another; it answers again"


def _finding(stage: Stage, rule: str, source: str) -> dict[str, Any] | None:
    found = stage.quietly("findings", "list", "--rule", rule)["findings"]
    mine = [one for one in found if one["source"] == source]
    acted = [one for one in mine if one["actions"] and all(act["state"] != "desired" for act in one["actions"])]
    return acted[0] if acted else None


def _open_incident(stage: Stage) -> str | None:
    found = stage.quietly("incident", "list")["incidents"]
    waiting = [one["incident"] for one in found if one["state"] != "closed"]
    return str(waiting[0]) if waiting else None


def _says(finding: dict[str, Any]) -> str:
    return "; ".join(act["says"] for act in finding["actions"])
