"""What the command line prints: one JSON document, or words for a person; errors as one sentence."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ringfence.kernel.errors import RingfenceError

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console
    from rich.text import Text

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
# What would move the cursor, colour the screen or turn the direction of writing round.
_STEERING = dict.fromkeys((*range(32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "?")
_STEERING |= {ord("\n"): "\n", ord("\t"): "\t"}


def output(document: Mapping[str, Any], human: "Callable[[Console], None]", as_json: bool) -> None:  # noqa: FBT001
    """Print `document` as JSON, or let `human` say the same in words."""
    if as_json:
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        return
    human(console())


def console() -> "Console":
    """Return the terminal, without markup, highlighting or control characters of what others wrote."""
    from rich.console import Console

    class Plain(Console):
        def render_str(self, text: str, **given: Any) -> "Text":
            return super().render_str(text.translate(_STEERING), **given)

    return Plain(markup=False, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Say something about the progress of the work, on standard error."""
    sys.stderr.write(text.translate(_STEERING) + "\n")


def announce(text: str) -> None:
    """Say on standard error that something takes a while, where a person watches; scripts need not read it."""
    if sys.stderr.isatty():
        say(text)


def today() -> "date":
    """Return the day, by the clock of this machine and in UTC."""
    import time

    from ringfence.kernel.clock import from_millis

    return from_millis(time.time_ns() // 1_000_000).date()


def fail(error: RingfenceError, *, as_json: bool) -> NoReturn:
    """Print an error as one sentence, and end with its exit code."""
    if as_json:
        document = {"error": {"kind": error.slug, "message": str(error), "exit_code": error.exit_code}}
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stderr.write(f"ringfence: {error}\n")
    raise SystemExit(error.exit_code)
