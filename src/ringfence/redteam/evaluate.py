"""From a plan, a pack and three journals to the run's document: the one way, for the runner and for verifiers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ringfence.redteam import statistics
from ringfence.redteam.document import MIXED, Kept, model_of, run_document
from ringfence.redteam.model import Attempt, Finding, Pack, Plan, Verdict
from ringfence.redteam.plan import attempts, for_dummies

DUMMIES = ("vulnerable", "hardened")
TARGET = "target"
JOURNALS = (TARGET, *DUMMIES)
PLAN, PACK, RUN = "plan.json", "pack.jsonl", "run.json"  # the files of a run, beside two for each journal


def journal_name(name: str) -> str:
    """Return the file of a journal."""
    return f"journal-{name}.jsonl"


def texts_name(name: str) -> str:
    """Return the file of a journal's texts."""
    return f"texts-{name}.jsonl"


@dataclass(frozen=True, slots=True)
class Drawn:
    """The attempts of a run, by journal."""

    plan: Plan
    by_journal: Mapping[str, Sequence[Attempt]]
    families: Sequence[str]  # of the pack, tried or not


def draw(pack: Pack, plan: Plan) -> Drawn:
    """Draw what is asked of the endpoint and of both dummies."""
    asked = attempts(pack, plan)
    dummies = for_dummies(asked)
    return Drawn(plan, {TARGET: asked} | dict.fromkeys(DUMMIES, dummies), tuple(pack.cases))


def evaluated(drawn: Drawn, kept: Mapping[str, Kept]) -> dict[str, Any]:
    """Return the run's document."""
    plan, policy = drawn.plan, drawn.plan.policy
    totals = {name: statistics.tallies(drawn.by_journal[name], kept[name].records)[-1] for name in DUMMIES}
    controls = [statistics.control(name, total, policy) for name, total in totals.items()]
    asked = drawn.by_journal[TARGET]
    model = model_of(asked, kept[TARGET])
    counted = statistics.tallies(asked, kept[TARGET].records, drawn.families)
    found = statistics.findings(counted, controls, policy)
    if model == MIXED:
        found = tuple(_unsettled(finding) for finding in found)
    return run_document(plan, kept[TARGET], model, found, [(each, kept[each.name].head) for each in controls])


def _unsettled(finding: Finding) -> Finding:
    return replace(finding, verdict=Verdict.INCONCLUSIVE, because="the endpoint declared another model during the run")
