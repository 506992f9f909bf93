from dataclasses import replace
from datetime import timedelta

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Strength, Subject
from ringfence.ledger.explorer.matching import matches
from ringfence.ledger.explorer.model import Query
from ringfence.ledger.explorer.standing import resolve
from ringfence.ledger.issuers import fold
from ringfence.testing.ledger import LabLog


def test_each_condition_is_met_and_missed() -> None:
    log = LabLog()
    logged = log.state("log.heartbeat", {}, by="control", subjects=(Subject("head/7", Digest.of(b"x")),))
    issuers = fold([(at, envelope) for at, envelope, _ in log.entries], log.public("root"))
    met = Query(
        subject=logged.envelope.statement.subjects[0].name,
        predicate=logged.envelope.statement.predicate,
        since=logged.recorded_at,
        until=logged.recorded_at + timedelta(seconds=1),
        actor="control-plane",
        strength=logged.envelope.statement.issuance.strength,
        standing="trusted",
        demo=False,
        before=logged.entry + 1,
        at=log.now,
    )
    assert matches(logged, resolve(met, issuers))
    for change in (
        {"subject": "x"},
        {"predicate": PredicateName("key.enrolled")},
        {"since": logged.recorded_at + timedelta(seconds=1)},
        {"until": logged.recorded_at},
        {"actor": "operator"},
        {"actor": "f" * 8},
        {"strength": Strength.DECLARED},
        {"standing": "untrusted"},
        {"demo": True},
        {"before": logged.entry},
        {"at": logged.recorded_at - timedelta(seconds=1)},
    ):
        assert not matches(logged, resolve(replace(met, **change), issuers)), change
