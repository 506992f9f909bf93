"""The page of heads, and what the record says once another party vouches."""

from dataclasses import replace

import pytest

from ringfence.ledger.anchoring.model import AskedWitness
from ringfence.testing.anchors import FakeRemote, witness_keys, witnessing

URL = "https://w.example"


def cosign(services, party):
    services.ledger.integrate()
    anchoring = replace(services.anchored.service, remote=FakeRemote())
    keys = witness_keys()
    anchoring.remote.serve(URL, witnessing(anchoring.trust.log_keys, anchoring.clock))
    with anchoring.transaction():
        vkeys = tuple(str(key.public) for key in keys)
        anchoring.rows.put_witness(AskedWitness(keys[0].public.name, vkeys, URL, party))
    anchoring.turn()


def pages(services, home, *paths):
    with home.http(services) as client:
        answers = [client.get(path, headers={"accept": "text/html"}) for path in paths]
    assert [answer.status_code for answer in answers] == [200] * len(paths)
    return [answer.text for answer in answers]


def test_without_anybody_it_says_so(services, home) -> None:
    services.ledger.integrate()
    heads, record = pages(services, home, "/heads", "/evidence/0")
    assert "Nothing of this log is anchored outside" in heads
    assert "No head that covers this entry has left this installation" in record


def test_another_partys_word_is_shown_with_its_time(services, home) -> None:
    cosign(services, "Auditor GmbH")
    heads, record = pages(services, home, "/heads", "/evidence/0")
    assert "Anchored outside until" in heads
    assert "Auditor GmbH" in heads
    assert "Another party vouched for a head that covers this entry" in record
    assert services.anchored.service.vouched(10**6) is None


def test_the_operators_own_word_is_said_to_be_that(services, home) -> None:
    cosign(services, "operator")
    heads, record = pages(services, home, "/heads", "/evidence/0")
    assert "Nothing of this log is anchored outside" in heads
    assert "counts as the operator" in heads
    assert "No head that covers this entry has left this installation" in record


@pytest.mark.parametrize("party", ["operator", "Auditor GmbH"])
def test_the_api_says_the_same(services, home, party) -> None:
    cosign(services, party)
    with home.http(services) as client:
        document = client.get("/api/v1/heads").json()
    said = {each["counts_as_operator"] for head in document["heads"] for each in head["cosigned"]}
    assert said == {party == "operator"}
    assert (document["anchored_outside_until"] is None) is (party == "operator")
