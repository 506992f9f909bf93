"""What the command line prints: one JSON document, or words for a person; errors as one sentence."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ringfence.kernel.errors import RingfenceError

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


def output(document: Mapping[str, Any], human: "Callable[[Console], None]", as_json: bool) -> None:  # noqa: FBT001
    """Print `document` as JSON, or let `human` say the same in words."""
    if as_json:
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        return
    human(console())


def console() -> "Console":
    """Return the terminal, without markup or highlighting of what others wrote."""
    from rich.console import Console

    return Console(markup=False, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Say something about the progress of the work, on standard error."""
    sys.stderr.write(text + "\n")


def fail(error: RingfenceError, *, as_json: bool) -> NoReturn:
    """Print an error as one sentence, and end with its exit code."""
    if as_json:
        document = {"error": {"kind": error.slug, "message": str(error), "exit_code": error.exit_code}}
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stderr.write(f"ringfence: {error}\n")
    raise SystemExit(error.exit_code)
