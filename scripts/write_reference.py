"""Write the pages of docs/reference that are made from code and data, and the pages of forms; tests compare them."""

import re
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from typer.main import get_command

from ringfence.identity.policy import Policies, shipped
from ringfence.kernel.actor import Assurance, Caller, Level, Person, Role, Service
from ringfence.kernel.errors import Refused
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.main import app
from ringfence.obligations import catalog, reference
from ringfence.obligations.forms import shelf
from ringfence.obligations.forms.reference import evidence_page, predicate_page
from ringfence.obligations.threats import reference as threats

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"
ROLES = PAGE.with_name("roles.md")
CONTROLS = PAGE.with_name("controls.md")
EVIDENCE = PAGE.with_name("evidence.md")
THREATS = PAGE.with_name("threats.md")
PREDICATES = PAGE.parents[1] / "specs" / "predicates"
ROLES_OPENING = """# Roles

<!-- Written by `make reference` from the policies; edit src/ringfence/identity/data/roles.cedar. -->

What each role may ask for in its own tenant, as the shipped Cedar policies answer; nothing else is permitted to
anybody. In another tenant nobody may do anything. A *service* is a program with a key of its own: the actions marked so
can be in its scope, within its role. *Passkey* means that whoever has one confirms this with it just before.

"""
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
    if command.invoke_without_command:
        yield path, command
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


def actions() -> list[str]:
    """Return every action of the schema that something can be asked by."""
    schema = resources.files("ringfence.identity") / "data" / "roles.cedarschema"
    return sorted(set(re.findall(r'"([a-z_]+\.[a-z_]+)"', schema.read_text(encoding="utf-8"))))


def roles_page() -> str:
    """Return the table of actions and roles."""
    tenant, name = Tenant("main"), PersonId("person-0123456789ab")
    header = ["action", *Role, "service", "passkey"]
    lines = ["| " + " | ".join(header) + " |", "|---|" + ":-:|" * (len(header) - 1)]
    for action in actions():
        people = [shipped().allows(Person(name, tenant, role), action) for role in Role]
        service = shipped().allows(Service(name, tenant, Role.OWNER, frozenset({action})), action)
        cells = [*people, service, _takes_a_passkey(shipped(), Person(name, tenant, Role.OWNER), action)]
        lines.append(f"| `{action}` | " + " | ".join("●" if cell else "" for cell in cells) + " |")
    return ROLES_OPENING + "\n".join(lines) + "\n"


def _takes_a_passkey(policies: Policies, owner: Person, action: str) -> bool:
    try:
        policies.admit(Caller(owner, Assurance(Level.PASSKEY, stepped_up=False, has_passkey=True)), action)
    except Refused:
        return True
    return False


def evidence() -> dict[Path, str]:
    """Return the page of all evidence, and page and schema of every form."""
    written = {EVIDENCE: evidence_page(catalog.load())}
    for name in sorted(shelf.types()):
        written[PREDICATES / f"{name}.md"] = predicate_page(shelf.form(name))
        written[PREDICATES / f"{name}.schema.json"] = shelf.source(name).decode()
    return written


if __name__ == "__main__":
    written = {PAGE: page(), ROLES: roles_page(), CONTROLS: reference.page(catalog.load()), **evidence()}
    written[THREATS] = threats.page()
    stale = [
        place.name for place, text in written.items() if not place.exists() or place.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        sys.exit(f"{', '.join(stale)}: run `make reference`" if stale else 0)
    for place, text in written.items():
        place.write_text(text, encoding="utf-8")
    print(f"{PAGE.name}: {written[PAGE].count(chr(10) + '## ')} verbs; {ROLES.name}: {len(actions())} actions")
