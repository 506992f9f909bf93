"""Check what lies on this machine, and state it: what `ringfence dataset check` does once everything is open."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ringfence import __version__
from ringfence.artifacts.checks import decisions, screened, screening, statements
from ringfence.artifacts.checks.history import When
from ringfence.artifacts.checks.model import Result
from ringfence.artifacts.checks.ports import Files
from ringfence.artifacts.checks.profile import Profile
from ringfence.artifacts.checks.report import Report
from ringfence.artifacts.checks.running import Order, run
from ringfence.artifacts.checks.screened import Ground, Screened
from ringfence.artifacts.local import API
from ringfence.artifacts.model import SALT_SIZE, Sealed
from ringfence.artifacts.ports import Control, Random
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, Refused, UsageError


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


def _ground(control: Control, dataset: Sealed, *, stated: bool) -> Ground:
    """Return what the log knows of an epoch; raise `Refused` where what would be stated does harm or nothing."""
    known = control.get(f"{API}/{dataset.dataset}/history")["epochs"]
    newest, mine = known[0], next(one for one in known if one["epoch"] == dataset.epoch)
    if newest is not mine:
        raise Refused(f"a screen is stated of the newest epoch: {dataset.name} has epoch {newest['epoch']} by now")
    found, earlier = Ground(When(mine["order"]), mine["sources_untrusted"]), mine["screened"]
    if stated and earlier and earlier["order"] == When.BEFORE != found.order:
        raise Refused(
            f"entry {earlier['entry']} says that this epoch was screened before training, and a later screen would "
            "stand instead of it: look with --no-record"
        )
    return found


def screen(
    control: Control, subject: Subject, order: screening.Order, decided: decisions.Decisions, *, stated: bool
) -> Screened:
    """Screen a sealed dataset.

    Raises:
        UsageError: there is no seal, no item, or a column that was named is in none.
        Refused: it is not the newest epoch; or it is to be stated, and was screened before training by an earlier one.
    """
    if subject.sealed is None:
        raise UsageError("only a sealed dataset is screened: what training will read are its bytes")
    ground = _ground(control, subject.sealed, stated=stated)
    return Screened(subject.sealed, screening.run(subject.files, order, decided), ground, __version__)


def state_screen(
    control: Control, outcome: Screened, files: Mapping[str, bytes], random: Random, day: date
) -> dict[str, Any]:
    """State a screen whose documents lie in files."""
    salts = {claim: random(SALT_SIZE) for claim in ("report", "quarantine")}
    draft = screened.draft(outcome, files, salts, day)
    answer = control.state(draft, path=f"{API}/{outcome.dataset.dataset}/screened", body={})
    return dict(answer["statement"])
