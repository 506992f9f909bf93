"""Everything that can be said of a sealed epoch, stated by the real services: opened, audited, checked, screened."""

from ringfence.artifacts import statements as datasets
from ringfence.artifacts.checks import policy, report, screened, statements
from ringfence.artifacts.checks.decisions import Decisions, Flag, Settled
from ringfence.artifacts.checks.history import When
from ringfence.artifacts.checks.model import Check, Finding, Outcome, Result, not_run
from ringfence.artifacts.checks.screen import Flagged, Kind
from ringfence.artifacts.checks.screened import Ground
from ringfence.artifacts.checks.screening import Screening, Tried
from ringfence.artifacts.checks.service import DatasetChecks, DatasetHistories, DatasetScreens
from ringfence.artifacts.model import Mode, Sealed, Verdict
from ringfence.artifacts.provenance import parse_provenance
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Draft
from ringfence.services import Services
from ringfence.testing.home import LabHome, signed

TOLD = parse_provenance(b"source: a survey\nlicence: CC-BY-4.0\ncollection: by post\n")


def checked_in(dataset: Sealed, *failed: Check) -> Draft:
    """Return what is stated of a check that some parts of did not pass."""
    found = dict.fromkeys(Check, not_run(Check.DRIFT, "there is nothing to compare with"))
    found |= {check: Result(check, Outcome.PASSED) for check in Check if check != Check.DRIFT}
    found |= {one: Result(one, Outcome.FAILED, "why", (Finding("kind", "text"),), 3) for one in failed}
    made = report.Report(dataset.name, str(dataset.seal), policy.parse({}), "0.1.0", 500, 2, report.ordered(found))
    return statements.checked(dataset, made, b"printed", bytes(32))


def screening(items: int = 400, flagged: int = 0) -> Screening:
    """Return a screen that found most of what was planted, and no decision about what it flagged."""
    flags = tuple(Flag(_item(n), frozenset({Kind.OUTLIER}), "a.csv", n) for n in range(flagged))
    tried = tuple(Tried(kind, Flagged(), 20, 19, "some cases") for kind in Kind)
    return Screening(items, items, tried, Settled((), flags, (), 0), Decisions(bytes(32)), flags, policy.parse({}))


def _item(number: int) -> Digest:
    return Digest.of(b"%d" % number)


def looked_at(services: Services, home: LabHome, dataset: Sealed) -> None:
    """Open, audit, describe, check and screen an epoch."""
    actor, who = home.actor(Role.ENGINEER), home.people[Role.ENGINEER]
    artifacts = services.artifacts
    drafts = (
        datasets.opened(dataset, "read"),
        datasets.opened(dataset, "audit"),
        datasets.verified(dataset, Verdict(Mode.AUDIT, 1, ())),
        datasets.provenance(dataset, TOLD, bytes(32)),
    )
    for draft in drafts:
        artifacts.state(actor, dataset.dataset, draft.predicate, *signed(services, who, draft))
    draft = checked_in(dataset, Check.OUTLIERS)
    DatasetChecks(artifacts).state(actor, dataset.dataset, *signed(services, who, draft))
    screens = DatasetScreens(DatasetHistories(artifacts, services.ledger), services.acting.forms.take)
    outcome = screened.Screened(dataset, screening(flagged=2), Ground(When.BEFORE, 0), "0.1.0")
    salts = {"report": bytes(32), "quarantine": bytes(32)}
    today = services.clock.now().date()
    posted = signed(services, who, screened.draft(outcome, outcome.files(), salts, today))
    screens.state(actor, dataset.dataset, *posted)
