"""Play an attack as a child of the practice ground, and read what it says and what came of it."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ringfence.kernel.errors import MalformedInput, RingfenceError, Unavailable, by_slug
from ringfence.kernel.text import printable
from ringfence.workloads.practice import ground

COMMAND = (sys.executable, "-I", "-m", "ringfence", "practice", "attack")
LONGEST_LINE = 400


class Attack(StrEnum):
    """What can be practised."""

    GUESSES = "guesses"
    LEAKED = "leaked"


@dataclass(frozen=True, slots=True)
class Played:
    """What came of an attack: where a person goes on."""

    attack: Attack
    node: str
    finding: str
    incident: str
    facts: dict[str, str]


def played(document: Any) -> Played:
    """Read what `ringfence practice attack --json` printed; raise the error that it names."""
    match document:
        case {"error": {"kind": str() as kind, "message": str() as message}}:
            found: type[RingfenceError] = by_slug(kind)
            raise (Unavailable if found is MalformedInput else found)(message)
        case {
            "attack": str() as name, "node": str() as node, "finding": str() as finding, "incident": str() as incident,
            "facts": dict() as facts,
        } if name in set(Attack):  # fmt: skip
            return Played(Attack(name), node, finding, incident, {str(k): str(v) for k, v in facts.items()})
        case _:
            raise Unavailable("the attack ended without saying what came of it")


@dataclass(frozen=True, slots=True)
class Player:
    """Plays attacks on the nodes of one practice ground."""

    home: Path
    command: tuple[str, ...] = COMMAND

    def play(self, attack: Attack, say: Callable[[str], None]) -> Played:
        """Play it to its end, and tell its story on the way.

        Raises:
            RingfenceError: it could not be played, with the reason.
        """
        with subprocess.Popen(  # noqa: S603 -- our own module by our own interpreter, no shell
            [*self.command, attack.value, "--until-eof", "--json"],
            env=ground.environment(self.home),
            stdin=subprocess.PIPE,  # it ends when we do
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as child:
            assert child.stdout is not None and child.stderr is not None  # noqa: S101, PT018 - asked for above
            for line in child.stderr:
                text = printable(line.decode(errors="replace").strip(), LONGEST_LINE)
                if text and not text.startswith("ringfence: "):  # why it failed is in the document
                    say(text)
            answer = child.stdout.read()
        document: Any = None
        with suppress(ValueError):
            document = json.loads(answer)
        return played(document)
