"""Where the tour plays: a demo home, two people, and commands that are run as a person would type them."""

import io
import json
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
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
    run_verb: Command
    show: Callable[[str], None]
    facts: dict[str, Any] = field(default_factory=dict)

    def run(self, *arguments: str, by: PersonId | None = None, home: Path | None = None) -> Ran:
        """Run a command in this process, as `by` in `home`, and show it as it would be typed."""
        self.show("$ ringfence " + " ".join(shlex.quote(self.shortened(word)) for word in arguments))
        out, err = io.StringIO(), io.StringIO()
        code = 0
        with _environment(home or self.home, by or self.owner), redirect_stdout(out), redirect_stderr(err):
            try:
                self.run_verb([*arguments, "--json"])
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        return Ran(code, _document(out.getvalue()), err.getvalue().strip())

    def expect(self, *arguments: str, by: PersonId | None = None, home: Path | None = None) -> dict[str, Any]:
        """Run a command that must succeed; return its document."""
        ran = self.run(*arguments, by=by, home=home)
        if ran.code != 0:
            raise VerificationFailed(f"`ringfence {arguments[0]}` ended with {ran.code}: {ran.said or ran.document}")
        return ran.document

    def refused(self, *arguments: str, by: PersonId | None = None) -> Ran:
        """Run a command that must end with a negative verdict."""
        ran = self.run(*arguments, by=by)
        if ran.code != 1:
            raise VerificationFailed(f"`ringfence {arguments[0]}` should have refused and ended with {ran.code}")
        return ran

    def shortened(self, word: str) -> str:
        """Return a path as a person in the tour's folder would type it."""
        return word.replace(f"{self.work}/", "") if word.startswith(str(self.work)) else word


def prepare(home: Path, run_verb: Command, show: Callable[[str], None]) -> Stage:
    """Open the tour's home, or make it with two people."""
    if not (home / "ringfence.json").exists():
        people = [NewPerson.make(OWNER, Role.OWNER), NewPerson.make(ENGINEER, Role.ENGINEER)]
        initialise(home, log=LOG, tenant=TENANT, people=people, demo=True)
    work = home / "tour"
    work.mkdir(exist_ok=True)
    default = PersonId((home / "operator").read_text(encoding="ascii").strip())
    looking = Stage(home, work, default, default, run_verb, lambda _: None)
    people_here = looking.expect("user", "list")["people"]
    return Stage(home, work, _person(people_here, OWNER), _person(people_here, ENGINEER), run_verb, show)


def _person(people: list[dict[str, Any]], name: str) -> PersonId:
    for person in people:
        if person["name"] == name and not person["removed_at"]:
            return PersonId(person["person"])
    raise InternalError(f"the tour's home has nobody called {name}; remove it and run the tour again")


@contextmanager
def _environment(home: Path, operator: PersonId) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ("RINGFENCE_HOME", "RINGFENCE_OPERATOR", "RINGFENCE_URL")}
    os.environ["RINGFENCE_HOME"] = str(home)
    os.environ.pop("RINGFENCE_URL", None)
    if operator:
        os.environ["RINGFENCE_OPERATOR"] = operator
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _document(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
