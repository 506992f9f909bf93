"""Check what lies on this machine, and state it: what `ringfence dataset check` does once everything is open."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ringfence import __version__
from ringfence.artifacts.checks import statements
from ringfence.artifacts.checks.model import Result
from ringfence.artifacts.checks.ports import Files
from ringfence.artifacts.checks.profile import Profile
from ringfence.artifacts.checks.report import Report
from ringfence.artifacts.checks.running import Order, run
from ringfence.artifacts.local import API
from ringfence.artifacts.model import SALT_SIZE, Sealed
from ringfence.artifacts.ports import Control, Random
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, UsageError


@dataclass(frozen=True, slots=True)
class Subject:
    """A dataset that is open: its files, and what names their bytes."""

    files: Files
    name: str
    content: Callable[[], Digest]  # computed anew at each call
    signature: Result
    sealed: Sealed | None = None


def check(subject: Subject, order: Order) -> tuple[Report, Profile]:
    """Check a dataset whose bytes stay the same meanwhile.

    Raises:
        Conflict: they did not.
    """
    before = subject.content()
    found = run(subject.files, order)
    if subject.content() != before:
        raise Conflict(f"{subject.name} was changed while it was checked; try again once nobody writes to it")
    report = Report(subject.name, str(before), order.policy, __version__, found.rows, found.files, found.results)
    return report, found.profile


def state(control: Control, subject: Subject, report: Report, printed: bytes, random: Random) -> dict[str, Any]:
    """State what was found; raise `UsageError` where there is no seal that a statement could name."""
    if subject.sealed is None:
        raise UsageError("only a sealed dataset can be stated about: seal it, then check it by its name with --record")
    draft = statements.checked(subject.sealed, report, printed, random(SALT_SIZE))
    answer = control.state(draft, path=f"{API}/{subject.sealed.dataset}/checked", body={})
    return dict(answer["statement"])
