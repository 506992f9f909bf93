"""What is said of a screen: the report, what is left to do, and the form of `dataset.poison_screen` as it is filled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ringfence.artifacts.checks import decisions
from ringfence.artifacts.checks.history import When
from ringfence.artifacts.checks.screening import Screening, Tried
from ringfence.artifacts.checks.statements import SCREENED
from ringfence.artifacts.model import Sealed
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.statement import Draft, Statement, Strength

TOOL = "ringfence"
SOURCES = "source-trust"
REPORT, QUARANTINE, TO_DECIDE = "report.json", "quarantine.json", "decisions.json"
MAX_DETAIL = 2000  # characters of a free text, as forms have it
NOTE = (
    "A screen finds kinds of poison that it knows. What it found of planted cases holds for cases of this kind and "
    "strength, on these data: well-made poison passes, and a trigger whose labels were left as they were is not found."
)


@dataclass(frozen=True, slots=True)
class Ground:
    """What the log knows of the epoch."""

    order: When
    untrusted: int  # sources that nobody answers for

    def open(self) -> Iterator[str]:
        """Yield what keeps a screen of it from counting, in sentences."""
        if self.order is When.AFTER:
            yield "a run used this epoch before it was screened: seal a new one, and screen that first"
        elif self.order is When.UNKNOWN:
            yield "this epoch was opened for training, and no run manifest says what became of it"
        if self.untrusted:
            yield "nobody says where the data come from: ringfence dataset seal SRC NAME --provenance FILE"


@dataclass(frozen=True, slots=True)
class Screened:
    """A screen of a sealed epoch, with what the log knows of it."""

    dataset: Sealed
    screening: Screening
    ground: Ground
    version: str

    @property
    def undecided(self) -> int:
        """Return how many flagged items are neither taken out nor cleared."""
        return len(self.screening.settled.undecided)

    def open(self) -> Iterator[str]:
        """Yield, in sentences, what is left to do or cannot be said."""
        yield from self.ground.open()
        found, settled = self.screening, self.screening.settled
        for one in found.tried:
            if one.reason:
                yield f"not screened for {one.kind}: {one.reason}"
        if found.screened != found.items:
            yield f"items not screened as a whole: {found.items - found.screened} of {found.items}"
        if settled.still_there:
            yield f"items to be taken out and still there: {settled.still_there}; seal the data without them"
        if self.undecided:
            yield f"flagged items without a decision: {self.undecided}; fill {TO_DECIDE}, and screen with --decisions"

    def report(self) -> dict[str, Any]:
        """Return the whole report; it names items by salted digests and places, and holds nothing of their content."""
        found, settled = self.screening, self.screening.settled
        planted, hit = found.planted
        return {
            "format": "ringfence-dataset-screen/1",
            "dataset": self.dataset.dataset,
            "name": self.dataset.name,
            "epoch": self.dataset.epoch,
            "seal": str(self.dataset.seal),
            "tool": {"name": TOOL, "version": self.version},
            "policy": str(found.policy.digest),
            "seed": found.policy.seed,
            "order": self.ground.order.value,
            "sources_untrusted": self.ground.untrusted,
            "checks": [kind.value for kind in found.checks] + [SOURCES],
            "items": found.items,
            "screened": found.screened,
            "flagged": found.flagged,
            "cleared": len(settled.cleared),
            "quarantined": len(settled.taken_out),
            "undecided": self.undecided,
            "planted": planted,
            "planted_found": hit,
            "screens": [_tried(one) for one in found.tried],
            "flags": [
                {"item": str(flag.item), "screens": sorted(flag.screens), "file": flag.file, "row": flag.row}
                for flag in found.flags
            ],
            "open": list(self.open()),
            "note": NOTE,
        }

    def files(self) -> dict[str, bytes]:
        """Return what is written for people: the report, what was taken out, and where to decide."""
        found = self.screening
        return {
            REPORT: decisions.indented(self.report()),
            QUARANTINE: decisions.quarantine(found.settled, found.decisions),
            TO_DECIDE: decisions.printed(found.flags, found.decisions),
        }


def _tried(one: Tried) -> dict[str, Any]:
    return {
        "screen": one.kind.value,
        "counts": not one.reason,
        "reason": one.reason,
        "flagged": len(one.flagged.places),
        "planted": one.planted,
        "found": one.found,
        "how": one.how,
    }


def draft(outcome: Screened, files: Mapping[str, bytes], salts: Mapping[str, bytes], day: date) -> Draft:
    """Fill the form: documents go in as salted digests, and stay with whoever screened."""
    found, said = outcome.screening, outcome.report()
    attached = {"report": REPORT, "quarantine": QUARANTINE}
    claims = {
        "screenedOn": day.isoformat(),
        "order": said["order"],
        "tool": TOOL,
        "toolVersion": outcome.version,
        "checks": sorted(said["checks"]),
        "items": found.items,
        "screened": found.screened,
        "flagged": found.flagged,
        "flaggedPermille": _permille(found.flagged, found.items),
        "quarantined": said["quarantined"],
        "undecided": outcome.undecided,
        "sourcesUntrusted": outcome.ground.untrusted,
        "planted": said["planted"],
        "plantedFound": said["planted_found"],
        "plantedPermille": _permille(said["planted_found"], said["planted"]),
        **{claim: str(Digest.of(salts[claim] + files[name])) for claim, name in attached.items()},
    }
    details = {
        "summary": _summary(outcome)[:MAX_DETAIL],
        "settings": _settings(found)[:MAX_DETAIL],
        "files": {claim: {"name": name, "salt": salts[claim].hex()} for claim, name in attached.items()},
    }
    return Draft(SCREENED, (outcome.dataset.subject,), claims, Strength.DOCUMENTED, details)


def _permille(part: int, whole: int) -> int:
    return 1000 * part // whole if whole else 1000


def _summary(outcome: Screened) -> str:
    left = "; ".join(outcome.open())
    cleared = len(outcome.screening.settled.cleared)
    return f"written by `ringfence dataset screen`: {cleared} items cleared{'; ' if left else ''}{left}"


def _settings(found: Screening) -> str:
    planted = "; ".join(
        f"{one.kind}: {one.how}, {one.found} of {one.planted} found" for one in found.tried if one.planted
    )
    return f"policy {found.policy.digest}; seed {found.policy.seed}; planted from that seed: {planted or 'nothing'}"


def check_about(statement: Statement, dataset: Sealed, ground: Ground) -> None:
    """Return where a statement is about this epoch and says of it what the log says.

    Raises:
        MalformedInput: it is another kind of statement.
        Refused: it is about another epoch, or says better of it than the log does.
    """
    claims = statement.claims
    if statement.predicate != SCREENED or claims.get("tool") != TOOL:
        raise MalformedInput(f"this address takes {SCREENED} of {TOOL}; others are stated at the form's")
    if statement.subjects != (dataset.subject,):
        raise Refused("the statement's subject is not the seal of this epoch")
    if (claims.get("order"), claims.get("sourcesUntrusted")) != (ground.order.value, ground.untrusted):
        raise Refused(
            f"by the log, the screen is {ground.order.value}, and {ground.untrusted} of its sources have nobody who "
            "answers for them; screen again"
        )
