import json
import threading

import pytest

from ringfence.compute.model import NodeClass
from ringfence.cutoff.wires import HOSTS, OWN_ADDRESSES
from ringfence.fabric import launch
from ringfence.fabric.desired import CONTROL, FORENSIC
from ringfence.testing.home import TENANT
from ringfence.testing.soc import finding, node
from ringfence.tour.lab import until


@pytest.fixture(autouse=True)
def no_helper_is_left(services, home):
    yield
    if (home.path / "fabric").exists():
        services.cutoff.network().close(end=True)


def test_opening_a_home_starts_nothing(services, home):
    before = threading.active_count()
    cutoff = services.cutoff
    cutoff.reconciler()()
    assert cutoff.network.blocked() == []
    assert cutoff.compute.logs() == []
    assert not (home.path / "fabric").exists(), "no network helper before there is a node"
    assert threading.active_count() == before


def test_a_home_with_machines_of_the_user_only_needs_no_network_helper(services, home):
    (home.path / HOSTS).mkdir()
    services.cutoff.reconciler()()
    assert not (home.path / "fabric").exists()


def test_the_wish_to_cut_off_has_its_place_on_the_disk_before_there_is_a_node(services, home):
    assert (home.path / "journal" / "intents").stat().st_blocks > 0
    assert services.cutoff.compute.containing.intents.all() == {}


def test_a_class_that_cannot_run_here_is_offered_with_the_reason(services):
    offers = services.cutoff.compute.offers()
    assert [offer.node_class for offer in offers] == list(NodeClass)
    assert all(offer.available or offer.because for offer in offers)


def test_the_watch_never_blocks_our_own_end_of_the_network(services):
    assert services.cutoff.watching().worker.protected == OWN_ADDRESSES == {CONTROL, FORENSIC}


def test_a_finding_becomes_an_incident_through_the_wires(services, clock):
    cutoff = services.cutoff
    cutoff.answers.raise_own(TENANT, finding("ssh-guessing", first_seen=clock.now(), last_seen=clock.now()), node())
    until(lambda: cutoff.incidents.desk.open_ones(TENANT), "an incident")  # acts have a thread of their own
    (incident,) = cutoff.incidents.desk.open_ones(TENANT)
    (raised,) = cutoff.answers.findings.page(TENANT, limit=5)
    assert [known.id for known in incident.findings] == [raised.reference]
    assert incident.findings[0].envelope == str(raised.statement)


def test_two_warnings_of_one_instant_are_two_alerts(services, home, clock):
    """A box takes an alert that it has already for a repetition; incidents warn of several clocks in one round."""
    mail = {"host": "127.0.0.1", "port": 25, "tls": "none", "from": "r@example.eu", "to": ["soc@example.eu"]}
    channels = home.path / "alerts.json"
    channels.write_text(json.dumps({"format": "ringfence-alerts/v1", "tenants": {TENANT: {"mail": mail}}}))
    channels.chmod(0o600)
    for text in ("the early warning is due in 2 h", "the notice to hospital is due in 2 h"):
        services.cutoff.incident_watch.notifier(TENANT, "i-0123abcd", text, clock.now())
    texts = [delivery.alert.text for delivery in services.cutoff.posting.mailbox.due(clock.now())]
    assert len(texts) == 2
    assert all("ringfence incident show i-0123abcd" in text for text in texts)


def test_a_look_at_the_offers_leaves_no_helper_behind(services, home):
    cutoff = services.cutoff
    if not any(offer.available and offer.node_class is NodeClass.NAMESPACE for offer in cutoff.compute.offers()):
        pytest.skip("no namespace node can run here")
    assert launch.living(home.path / "fabric", launch.HELPER)
    cutoff.rest()
    assert launch.living(home.path / "fabric", launch.HELPER) is None
