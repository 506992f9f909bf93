"""Customers over a real log: packs that hold nothing of another one, clocks beside those of the law, our own board."""

import json
from datetime import timedelta

import pytest

from ringfence.incidents import acts
from ringfence.incidents.model import incident_id
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.ledger import trust as trust_file
from ringfence.reports.verify import verify
from ringfence.testing.clock import FakeClock
from ringfence.testing.customers import packed, stated, two
from ringfence.testing.home import TENANT, make, signed

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("customers") / "home", clock)
    with home.services(clock) as services:
        known = two(home, services)
        triage = {"customers": [known.hospital, known.bank], "significant": True}
        shared = [
            stated(services, "lab.observed", "incident/i-00000001", triage),
            stated(services, "lab.observed", "run/0", {"inputs": list(known.datasets.values())}),
            stated(services, "lab.observed", f"inventory/{TENANT}", {"datasets": list(known.datasets.values())}),
        ]
        own = stated(services, "lab.observed", "incident/i-00000002", {"customers": [known.bank]})
        yield home, services, known, shared, own


@pytest.fixture(scope="module")
def packs(stage):
    home, services, known, _, _ = stage
    first = packed(home, services, known.hospital)
    return {"hospital": first, "bank": packed(home, services, known.bank)}


def lines(data):
    return [json.loads(line) for line in data.decode().splitlines()]


def full(data):
    return [one["statement"] for one in lines(data) if "statement" in one]


@pytest.mark.parametrize(("whose", "others"), [("hospital", "bank"), ("bank", "hospital")])
def test_a_customers_pack_holds_no_record_and_no_word_of_another(stage, packs, whose, others):
    _, services, known, shared, _ = stage
    data = packs[whose][1].decode()
    other = known.bank if others == "bank" else known.hospital
    for word in (
        other,
        other.removeprefix("customer-"),
        known.datasets[{"bank": "ledgers", "hospital": "scans"}[others]],
    ):
        assert word not in data
    for word in ("Sample Bank", "St. Example Hospital", "C-2026-7", {"bank": "scoring", "hospital": "triage"}[others]):
        assert word not in data
    entries = {one["entry"] for one in lines(packs[whose][1]) if "statement" in one}
    assert not entries & set(shared)
    assert services.ledger.head()


def test_a_customers_pack_shows_in_full_what_is_about_their_things(stage, packs):
    _, _, known, _, own = stage
    shown = full(packs["bank"][1])
    names = {subject["name"] for one in shown for subject in one["subject"]}
    assert f"dataset/{known.datasets['ledgers']}" in names
    assert f"customer/{known.bank.removeprefix('customer-')}" in names
    assert "incident/i-00000002" in names
    assert any(name.startswith("deployment/") for name in names)
    assert own in {one["entry"] for one in lines(packs["bank"][1]) if "statement" in one}
    assert not any(known.datasets["nobodys"] in name for name in names)


@pytest.mark.parametrize("whose", ["hospital", "bank"])
def test_a_stranger_checks_it_by_both_verifiers(stage, packs, by_script, whose):
    home = stage[0]
    trust = trust_file.parse((home.path / "trust.json").read_bytes(), source="trust")
    outcome = verify(packs[whose][1], trust)
    assert outcome.ok, outcome.failures
    assert outcome.outlined > 0
    assert by_script(packs[whose][1], trust) == (0, set())


def test_recomputing_says_that_no_status_follows_and_fails_nothing(stage, packs):
    from ringfence.reports.recompute import needs_of, recompute, rules_of

    home, services, _, _, _ = stage
    trust = trust_file.parse((home.path / "trust.json").read_bytes(), source="trust")
    catalog = services.status.catalog
    again = recompute(verify(packs["bank"][1], trust), rules_of(catalog, demo=False), needs_of(catalog))
    assert again.ok, again.failures
    assert any("the status of 0 of" in notice for notice in again.notices)


def test_a_pack_is_recorded_with_head_and_customer_and_composed_again(stage, packs):
    home, services, known, _, _ = stage
    made, _ = packs["bank"]
    assert (made.customer, made.by) == (known.bank, home.people[Role.OWNER].id)
    assert services.ledger.checkpoint(made.size).checkpoint.root.hex() == made.root
    _, again = services.customers.again(TENANT, made.entry)
    trust = trust_file.parse((home.path / "trust.json").read_bytes(), source="trust")
    assert verify(again, trust).ok
    assert full(again) == full(packs["bank"][1])


def test_a_pack_tells_nothing_of_other_packs(packs):
    reports = [one for one in full(packs["bank"][1]) if one["predicateType"] == "urn:ringfence:report.exported:v1"]
    assert len(reports) == 1
    assert all(one["opening"] is None for one in lines(packs["bank"][1]) if "opening" in one)


def test_an_incident_starts_a_clock_of_the_contract_and_a_notice_ends_it(tmp_path):
    clock = FakeClock()
    home = make(tmp_path / "home", clock)
    with home.services(clock) as services:
        known = two(home, services)
        incidents = services.cutoff.incidents
        name = opened(services, home, clock)
        bound = incidents.room(TENANT, name).bound.customers
        assert {one.id for one in bound} == {known.hospital, known.bank}
        decide(services, home, clock, name, (known.hospital,))
        due = clocks(services, name)
        assert due[f"contract.customer_notice/{known.hospital}"].due_at == clock.now() + 6 * HOUR
        assert f"contract.customer_notice/{known.bank}" not in due
        services.customers.remove(home.actor(), known.hospital, "they left in the night")
        assert clocks(services, name)[f"contract.customer_notice/{known.hospital}"].running
        told = acts.noticed(
            seen(services, name),
            known.hospital,
            clock.now(),
            Digest.of(b"r"),
            {"reference": "mail 7", "salt": "00" * 32},
        )
        act(services, home, name, acts.NOTICE, told)
        assert not clocks(services, name)[f"contract.customer_notice/{known.hospital}"].running


def opened(services, home, clock):
    name = incident_id("i-0000000a")
    draft = acts.declared(name, clock.now(), "", "somebody called")
    services.cutoff.incidents.declare(home.actor(), *signed(services, home.people[Role.OWNER], draft))
    return name


def decide(services, home, clock, name, customers):
    shown = services.cutoff.incidents.room(TENANT, name)
    now = clock.now()
    decision = acts.Decision(
        significant=False,
        criteria=(),
        reason="only theirs",
        detected_at=shown.incident.detected_at,
        triaged_at=now,
        aware_at=now,
        customers=customers,
    )
    act(services, home, name, acts.TRIAGE, acts.triage(seen(services, name), decision))


def seen(services, name):
    incident = services.cutoff.incidents.room(TENANT, name).incident
    return acts.Seen(name, len(incident.timeline), incident.head)


def act(services, home, name, predicate, draft):
    posted = signed(services, home.people[Role.OWNER], draft)
    services.cutoff.incidents.act(home.actor(), name, predicate, *posted)


def clocks(services, name):
    return {one.id: one for one in services.cutoff.incidents.room(TENANT, name).clocks}
