"""Who anchors the log's heads: stated, and named in the home's trust file."""

from dataclasses import replace

import pytest

from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused, UsageError
from ringfence.kernel.identifier import Tenant
from ringfence.ledger import trust
from ringfence.ledger.anchoring.configuring import AUTHORITY_CONFIGURED, QUORUM_CONFIGURED, WITNESS_CONFIGURED
from ringfence.testing.anchors import LabAuthority, witness_keys
from ringfence.testing.home import TENANT

URL = "https://w.example"


def vkeys(name="w.example/1", seed=41):
    return [str(key.public) for key in witness_keys(name, seed)]


@pytest.fixture
def configuring(services):
    return services.anchored.configuring


def known(home):
    return trust.parse((home.path / "trust.json").read_bytes())


def claims(services, predicate):
    return [dict(logged.envelope.statement.claims) for logged in services.ledger.statements(TENANT, [predicate])]


def test_a_witness_is_stated_and_trusted(services, home, configuring) -> None:
    before = known(home)
    configuring.add_witness(home.actor(), URL, vkeys(), "Auditor GmbH")
    configuring.set_quorum(home.actor(), 1)
    found = known(home)
    assert [(each.vkey, each.party) for each in found.witnesses] == [(vkey, "Auditor GmbH") for vkey in vkeys()]
    assert (found.quorum, found.heads, found.log_keys) == (1, before.heads, before.log_keys)
    (stated,) = claims(services, WITNESS_CONFIGURED)
    assert stated == {"act": "added", "witness": "w.example/1", "vkeys": vkeys(), "party": "Auditor GmbH"}
    assert claims(services, QUORUM_CONFIGURED) == [{"quorum": 1, "parties": 1}]
    with pytest.raises(Refused, match="quorum"):
        configuring.remove_witness(home.actor(), "w.example/1")
    configuring.set_quorum(home.actor(), 0)
    configuring.remove_witness(home.actor(), "w.example/1")
    assert known(home) == before
    assert [stated["act"] for stated in claims(services, WITNESS_CONFIGURED)] == ["added", "removed"]


def test_who_witnessed_once_is_nobody_else_later(home, configuring) -> None:
    """A head may be cosigned under both names: one holder would be two of a quorum."""
    configuring.add_witness(home.actor(), URL, vkeys(), "Auditor GmbH")
    configuring.remove_witness(home.actor(), "w.example/1")
    with pytest.raises(Refused, match="count twice"):
        configuring.add_witness(home.actor(), URL, vkeys("w.example/2"), "Customer")
    configuring.add_witness(home.actor(), URL, vkeys(), "Auditor GmbH")


def test_an_authority_is_stated_and_trusted(services, home, configuring, tmp_path) -> None:
    authority = LabAuthority.make(tmp_path / "tsa")
    configuring.add_authority(home.actor(), URL, authority.certificate, "Stamps AG", "1.2.3")
    assert known(home).authorities == (authority.trusted(),)
    (stated,) = claims(services, AUTHORITY_CONFIGURED)
    assert (stated["act"], stated["party"], stated["policy"]) == ("added", "Stamps AG", "1.2.3")
    with pytest.raises(Conflict):
        configuring.add_authority(home.actor(), URL, authority.certificate, "Another", "")
    with pytest.raises(NotFound):
        configuring.remove_authority(home.actor(), stated["certificate"][:7])
    configuring.remove_authority(home.actor(), stated["certificate"][:8])
    assert known(home).authorities == ()
    with pytest.raises(MalformedInput):
        configuring.add_authority(home.actor(), URL, authority.certificate, "Stamps AG", "1..2")


def test_nothing_that_no_trust_file_could_name_is_taken(services, home, configuring) -> None:
    configuring.add_witness(home.actor(), URL, vkeys(), "Auditor GmbH")
    own = services.ledger.log_keys
    for wrong in (
        lambda: configuring.add_witness(home.actor(), URL, vkeys(), "Auditor GmbH"),
        lambda: configuring.add_witness(home.actor(), URL, vkeys("w.example/2"), "Another"),  # the same keys
        lambda: configuring.add_witness(home.actor(), URL, [own[1]], "Another"),  # the log's own
        lambda: configuring.add_witness(home.actor(), URL, [own[0]], "Another"),
        lambda: configuring.add_witness(home.actor(), URL, [*vkeys("a", 5), *vkeys("b", 6)], "Another"),
        lambda: configuring.add_witness(home.actor(), "http://w.example", vkeys("a", 5), "Another"),
        lambda: configuring.add_witness(home.actor(), URL, vkeys("a", 5), "An\nother"),
        lambda: configuring.add_witness(home.actor(), URL, vkeys("a", 5), ""),
    ):
        with pytest.raises((UsageError, Conflict, MalformedInput)):
            wrong()
    assert len(claims(services, WITNESS_CONFIGURED)) == 1
    assert len(known(home).witnesses) == 2


def test_a_quorum_that_could_never_be_met_is_refused(home, configuring) -> None:
    configuring.add_witness(home.actor(), URL, vkeys(), "operator")
    with pytest.raises(Refused, match="never be met"):
        configuring.set_quorum(home.actor(), 1)


def test_a_guest_in_the_log_does_not_choose_who_watches_it(services, home, configuring) -> None:
    guest = replace(home.actor(), tenant=Tenant("other"))
    with pytest.raises(Refused, match="whose log"):
        configuring.add_witness(guest, URL, vkeys(), "Auditor GmbH")
    assert configuring.rows.witnesses() == []
    assert claims(services, WITNESS_CONFIGURED) == []
