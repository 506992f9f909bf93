from dataclasses import replace
from datetime import timedelta

from ringfence.ledger import trust
from ringfence.ledger.anchoring.model import AskedWitness
from ringfence.ledger.model import Checkpoint
from ringfence.testing.anchors import FakeRemote, witness_keys, witnessing
from ringfence.testing.home import TENANT


def test_a_home_without_its_trust_file_gets_one(services, home) -> None:
    (home.path / "trust.json").unlink()
    vkeys = [str(key.public) for key in witness_keys()]
    services.anchored.configuring.add_witness(home.actor(), "https://w.example", vkeys, "Auditor")
    found = trust.parse((home.path / "trust.json").read_bytes())
    assert (found.log, found.root, found.heads) == (services.home.log, services.home.root_public, ())
    assert [each.vkey for each in found.witnesses] == vkeys


def test_a_conflict_waits_for_somebody_until_the_witness_cosigns_again(services, clock) -> None:
    services.ledger.integrate()
    anchoring = replace(services.anchored.service, remote=FakeRemote())
    log, size = anchoring.trust.log, anchoring.log.head().checkpoint.size
    witness, keys = witnessing(anchoring.trust.log_keys, clock), witness_keys()
    anchoring.remote.serve("https://w.example", witness)
    with anchoring.transaction():
        vkeys = tuple(str(key.public) for key in keys)
        anchoring.rows.put_witness(AskedWitness(keys[0].public.name, vkeys, "https://w.example", "Auditor"))
    assert services.cutoff.not_working(TENANT) == []
    witness.heads.kept[log] = Checkpoint(log, size + 9, bytes(32))
    anchoring.turn()
    services.ledger.integrate()
    (shown,) = services.cutoff.not_working(TENANT)
    assert shown["rule"] == "witness-conflict"
    assert f"holds a head of {size + 9} entries" in shown["because"]
    del witness.heads.kept[log]
    clock.advance(timedelta(minutes=2))
    anchoring.turn()
    assert services.cutoff.not_working(TENANT) == []
