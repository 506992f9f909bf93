"""Whatever is erased from whatever log: every envelope, every status and every proof is what it was."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.ledger.model import LoggedStatement
from ringfence.obligations import board, catalog
from ringfence.obligations.records import Records
from ringfence.reports.model import Extent
from ringfence.reports.recompute import rules_of
from ringfence.reports.verify import verify
from ringfence.testing.obligations import meeting
from ringfence.testing.tampering import lab

CATALOG = catalog.load()
OF_THE_LOG = ("key.", "ledger.", "report.")  # a verifier holds these against the log itself
MET = [each for each in CATALOG.requirements.values() if not each.evidence.startswith(OF_THE_LOG)]
told = st.lists(
    st.tuples(st.integers(0, len(MET) - 1), st.booleans(), st.integers(0, 86_400 * 40), st.text(max_size=20)),
    max_size=12,
)


def log_of(happened):
    log = lab(rules=rules_of(CATALOG, demo=False))
    for number, breaks, waits, name in happened:
        requirement = MET[number]
        claims = {} if breaks else meeting(requirement)
        by = {"control-plane": "control", "operator": "ops"}.get(next(iter(requirement.issuers)).value, "ops")
        log.advance(seconds=waits)
        log.state(requirement.evidence, claims, by=by, details={"name": name, "who": "Ada"})
    return log


def states(log):
    found = board.compute(CATALOG, Records.of(log.tenant, log.statements()), log.now)
    return [(part.requirement.id, part.verdict) for control in found.controls for part in control.requirements]


def bare(logged: LoggedStatement):
    return replace(logged, opening=None)


@settings(max_examples=15, deadline=None)
@given(told, st.randoms(use_true_random=False))
def test_an_erasure_changes_no_envelope_no_status_and_no_proof(happened, chance):
    log = log_of(happened)
    before, verdicts = log.statements(), states(log)
    for number, (at, envelope, opening) in enumerate(log.entries):
        if opening is not None and chance.random() < 0.5:
            log.entries[number] = (at, envelope, None)
    assert [bare(logged) for logged in log.statements()] == [bare(logged) for logged in before]
    assert states(log) == verdicts
    pack = log.pack(extent=Extent("all"))
    kept = sum(opening is not None for _, _, opening in log.entries)
    outcome = verify(pack, log.trust())
    assert outcome.failures == ()
    records = [json.loads(line) for line in pack.splitlines()]
    assert sum(isinstance(record.get("opening"), str) for record in records) == kept
