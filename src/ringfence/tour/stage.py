"""Where the tour plays: a demo home, its people, and commands that are run as a person would type them."""

import io
import json
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ringfence.enrolment import NewPerson
from ringfence.initialise import initialise
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import InternalError, VerificationFailed
from ringfence.kernel.identifier import LogOrigin, PersonId, Tenant

LOG = LogOrigin("demo/ringfence-tour")
TENANT = Tenant("demo")
OWNER = "Olga Demo (owner)"
ENGINEER = "Emil Demo (engineer)"
SECURITY = "Sara Demo (security)"
PEOPLE = ((OWNER, Role.OWNER), (ENGINEER, Role.ENGINEER), (SECURITY, Role.SECURITY))


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command answered."""

    code: int
    document: dict[str, Any]
    said: str  # on standard error


Command = Callable[[Sequence[str]], None]


@dataclass(slots=True)
class Stage:
    """The home of the tour, and who acts in it."""

    home: Path
    work: Path  # files that the tour makes and leaves for the newcomer to break
    owner: PersonId
    engineer: PersonId
    security: PersonId
    run_verb: Command
    show: Callable[[str], None]
    facts: dict[str, Any] = field(default_factory=dict)

    def run(self, *arguments: str, by: PersonId | None = None, home: Path | None = None) -> Ran:
        """Run a command in this process, as `by` in `home`, and show it as it would be typed."""
        self.show("$ ringfence " + " ".join(shlex.quote(self.shortened(word)) for word in arguments))
        out, err = io.StringIO(), io.StringIO()
        code = 0
        with _acting(home or self.home, by or self.owner), redirect_stdout(out), redirect_stderr(err):
            try:
                self.run_verb(_as_json(arguments))
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        return Ran(code, _document(out.getvalue()), err.getvalue().strip())

    def expect(self, *arguments: str, by: PersonId | None = None, home: Path | None = None) -> dict[str, Any]:
        """Run a command that must succeed; return its document."""
        ran = self.run(*arguments, by=by, home=home)
        if ran.code != 0:
            raise VerificationFailed(f"`ringfence {arguments[0]}` ended with {ran.code}: {ran.said or ran.document}")
        return ran.document

    def quietly(self, *arguments: str, by: PersonId | None = None) -> dict[str, Any]:
        """Run a command that only looks, without showing it."""
        return replace(self, show=lambda _: None).expect(*arguments, by=by)

    def refused(self, *arguments: str, by: PersonId | None = None) -> Ran:
        """Run a command that must end with a negative verdict."""
        ran = self.run(*arguments, by=by)
        if ran.code != 1:
            raise VerificationFailed(f"`ringfence {arguments[0]}` should have refused and ended with {ran.code}")
        return ran

    def shortened(self, word: str) -> str:
        """Return a path as a person in the tour's folder would type it."""
        return word.replace(f"{self.work}/", "") if word.startswith(str(self.work)) else word


def _as_json(arguments: Sequence[str]) -> list[str]:
    """Ask for a document; what stands behind `--` is another program's."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return [*arguments[:at], "--json", *arguments[at:]]


def make(home: Path, log: LogOrigin) -> list[NewPerson]:
    """Make a demo home with its people; return them in the order of `PEOPLE`."""
    people = [NewPerson.make(name, role) for name, role in PEOPLE]
    initialise(home, log=log, tenant=TENANT, people=people, demo=True)
    return people


def prepare(home: Path, run_verb: Command, show: Callable[[str], None]) -> Stage:
    """Open the tour's home, or make it with its people."""
    if not (home / "ringfence.json").exists():
        make(home, LOG)
    work = home / "tour"
    work.mkdir(exist_ok=True)
    default = PersonId((home / "operator").read_text(encoding="ascii").strip())
    looking = Stage(home, work, default, default, default, run_verb, show)
    people_here = looking.quietly("user", "list")["people"]
    owner, engineer, security = (_person(people_here, name) for name, _ in PEOPLE)
    return Stage(home, work, owner, engineer, security, run_verb, show)


def _person(people: list[dict[str, Any]], name: str) -> PersonId:
    for person in people:
        if person["name"] == name and not person["removed_at"]:
            return PersonId(person["person"])
    raise InternalError(f"the tour's home has nobody called {name}; remove it and run the tour again")


def environment(home: Path, operator: PersonId) -> dict[str, str]:
    """Return the environment in which a command acts as a person of a home: nothing in it names another one."""
    kept = {name: value for name, value in os.environ.items() if not _is_setting(name)}
    return kept | {"RINGFENCE_HOME": str(home)} | ({"RINGFENCE_OPERATOR": operator} if operator else {})


def _is_setting(name: str) -> bool:
    """Tell whether a variable says which installation is meant, as whom, or how; where tools lie holds for all."""
    return name.startswith("RINGFENCE_") and name != "RINGFENCE_TOOLS"


@contextmanager
def _acting(home: Path, operator: PersonId) -> Iterator[None]:
    before = dict(os.environ)
    try:
        _set(environment(home, operator))
        yield
    finally:
        _set(before)


def _set(wanted: Mapping[str, str]) -> None:
    for name in filter(_is_setting, list(os.environ)):
        del os.environ[name]
    os.environ.update(wanted)


def _document(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
