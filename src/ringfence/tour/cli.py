"""`ringfence tour`."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ringfence.frontends import in_process
from ringfence.frontends.terminal import Json, output, say
from ringfence.kernel.errors import RingfenceError
from ringfence.obligations.lines import SHAPES
from ringfence.tour import attack, diskfull, duties, place, probe, prove, release, seal, serve, train
from ringfence.tour.stage import Stage, prepare

HOME = "~/.ringfence-tour"
Step = Callable[[Stage], dict[str, Any]]
STEPS: tuple[tuple[str, str, Step], ...] = (
    ("seal", "A real dataset is sealed, opened, and damaged by one bit.", seal.seal),
    ("scope", "Which duties bind the sample organisation, since when, and why.", duties.scope),
    ("place", "Two nodes of both classes, reached with a certificate of minutes.", place.place),
    ("release", "A dataset's key: refused where nothing is shown, released where the boot is right.", release.release),
    ("train", "A model is trained on the sealed data, in a node, and signed.", train.train),
    ("serve", "Proven weights behind an OpenAI-compatible gateway; a receipt for each answer.", serve.serve),
    ("probe", "The red team attacks two dummies and the model that is served: bounds, or inconclusive.", probe.probe),
    ("attack", "A leaked password, a node that is cut off, an early warning.", attack.attack),
    ("status", "What can be shown today: computed from signed statements, and from nothing else.", duties.status),
    ("prove", "A pack that a stranger checks with one small script; then five ways to cheat.", prove.prove),
)


@dataclass(slots=True)
class Told:
    """How the tour speaks: to a person as it goes, or at the end as JSON."""

    as_json: bool

    def show(self, line: str) -> None:
        """Show a line of the story."""
        stream = sys.stderr if self.as_json else sys.stdout
        stream.write(f"  {line}\n")
        stream.flush()


def tour(
    headless: Annotated[bool, typer.Option("--headless", help="End after the steps; no console.")] = False,  # noqa: FBT002
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the console.")] = 8400,
    disk_full: Annotated[Path | None, typer.Option("--disk-full", hidden=True)] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Walk through what works, on real data, in a demo home; then keep the console up."""
    if disk_full is not None:  # the attack's last part runs as a child with a disk of its own
        diskfull.main(disk_full)
        return
    home = Path(os.environ.get("RINGFENCE_HOME") or HOME).expanduser().absolute()
    told = Told(as_json)
    document = walk(home, told)
    output(document, lambda _: None, as_json)
    if not document["ok"]:
        raise SystemExit(1)
    if not headless and not as_json:
        _stay_up(home, port)


def walk(home: Path, told: Told) -> dict[str, Any]:
    """Run every step until one fails; return the document of the tour."""
    stage = prepare(home, in_process.run_verb, told.show)
    steps: list[dict[str, Any]] = []
    for name, line, step in STEPS:
        told.show("")
        told.show(f"== {name}: {line}")
        steps.append(_played(stage, name, step))
        _report(told, steps[-1])
        if not steps[-1]["ok"]:
            break
    return {"ok": all(step["ok"] for step in steps), "steps": steps}


def _played(stage: Stage, name: str, step: Step) -> dict[str, Any]:
    before, started = _size(stage), time.monotonic()
    try:
        facts, ok = step(stage), True
    except (RingfenceError, OSError, subprocess.SubprocessError) as error:
        facts, ok = {"error": str(error)}, False
    seconds = round(time.monotonic() - started, 2)
    return {"name": name, "ok": ok, "seconds": seconds, "entries": _entries(stage, before), "facts": facts}


def _size(stage: Stage) -> int:
    return int(stage.quietly("ledger", "head")["size"])


def _entries(stage: Stage, since: int) -> list[dict[str, Any]]:
    found = stage.quietly("ledger", "list", "--limit", "200")["statements"]
    return [{"entry": s["entry"], "statement": s["predicate"]} for s in reversed(found) if s["entry"] >= since]


def _report(told: Told, step: dict[str, Any]) -> None:
    for name, value in step["facts"].items():
        if name not in _SAID_ALREADY:
            for line in _lines(name.replace("_", " "), value):
                told.show(line)
    listed = ", ".join(f"{entry['entry']} {entry['statement']}" for entry in step["entries"])
    told.show(f"entries   {listed or 'none'}")
    told.show(f"{'done' if step['ok'] else 'FAILED'} in {step['seconds']} s")


_SAID_ALREADY = frozenset({"not_satisfied"})  # the controls say it too


def _lines(label: str, value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [f"{label}: {_short(value)}"]
    if all(isinstance(item, int) for item in value.values()):
        return [f"{label}: " + ", ".join(f"{item} {name}" for name, item in value.items())]
    width = max(len(name) for name in value)
    return [f"{label}:", *(f"  {_marked(name.ljust(width), item)}" for name, item in value.items())]


def _marked(name: str, item: Any) -> str:
    if isinstance(item, dict) and item.get("state") in SHAPES:
        return f"{SHAPES[item['state']]} {name}  {item['because']}"
    return f"{name}  {_short(item)}"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    if isinstance(value, list):
        return "; ".join(_short(item) for item in value)
    return str(value)


def _stay_up(home: Path, port: int) -> None:
    from ringfence.app import open_services
    from ringfence.frontends.listening import listen
    from ringfence.settings import Settings
    from ringfence.verbs import serve

    say("")
    say("Now break it by hand: open the pack in an editor, change anything, and check it again with")
    say(f"  {prove.check_command(home / 'tour')}")
    shutil.rmtree(home / "tour" / "cheats", ignore_errors=True)
    with open_services(Settings(home)) as services:
        serve(services, door=listen("127.0.0.1", port))
