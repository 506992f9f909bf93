"""Write docs/reference/cli.md from the command line itself; a docs test compares the two."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from ringfence.main import app

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"
OPENING = """# Command line

<!-- Written by `make reference` from the code; edit the help texts there. -->

Every verb takes `--help`. Where it is offered, `--json` prints one JSON document on standard output and
nothing else; what is said on the way goes to standard error. The verbs end with the [exit codes](exit-codes.md) and
read the [settings](settings.md) of their own pages.
"""


def verbs(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Walk the tree of commands: every verb that does something, with its path."""
    children = getattr(command, "list_commands", None)
    if children is None:
        yield path, command
        return
    context = command.make_context(path[-1], [], resilient_parsing=True)
    for name in children(context):
        child = command.get_command(context, name)
        if child is not None and not child.hidden:
            yield from verbs(child, (*path, name))


def options(command: Any) -> Iterator[tuple[str, str]]:
    """Return every argument and option with its line of help."""
    for parameter in command.params:
        if parameter.name == "help" or getattr(parameter, "hidden", False):
            continue
        if parameter.param_type_name == "argument":
            yield (parameter.metavar or parameter.name).upper(), _one_line(getattr(parameter, "help", ""))
        else:
            names = ", ".join([*parameter.opts, *parameter.secondary_opts])
            yield names, _one_line(parameter.help)


def section(path: tuple[str, ...], command: Any) -> str:
    """Describe one verb."""
    said = [_one_line(paragraph) for paragraph in (command.help or "").replace("\b", "").split("\n\n")]
    lines = [f"## `{' '.join(path)}`", "", "\n\n".join(said), ""]
    usage = " ".join(command.collect_usage_pieces(_context(command)))
    lines += ["```text", f"{' '.join(path)} {usage}".rstrip(), "```", ""]
    table = [f"| `{_cell(name)}` | {_cell(text)} |" for name, text in options(command)]
    if table:
        lines += ["| | |", "|---|---|", *table, ""]
    return "\n".join(lines)


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _context(command: Any) -> Any:
    return command.context_class(command)


def page() -> str:
    """Return the whole page."""
    found = verbs(get_command(app), ("ringfence",))
    return OPENING + "\n" + "\n".join(section(path, command) for path, command in found).rstrip("\n") + "\n"


if __name__ == "__main__":
    text = page()
    if "--check" in sys.argv[1:]:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == text else f"{PAGE.name} is stale: run `make reference`")
    PAGE.write_text(text, encoding="utf-8")
    print(f"{PAGE.name}: {text.count(chr(10) + '## ')} verbs")
