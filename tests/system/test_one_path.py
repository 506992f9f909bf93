"""One path: a verb gives the same answer in-process, by the socket, and by URL and token."""

import json
import time

import pytest

from ringfence.kernel.actor import Role
from ringfence.testing.program import called, serving

VERBS = [["ledger", "list", "--limit", "500", "--json"], ["user", "list", "--json"], ["ledger", "head", "--json"]]
COLLECTED = ["record", "key.lifecycle", "--json"]


def answer(done):
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def answers(made_now, tmp_path_factory):
    """What the verbs answer on each of the three ways; the state does not change between the readings."""
    home = made_now.copy(tmp_path_factory.mktemp("one") / "home")
    given = home.environment()
    stated = {"in-process": answer(called(given, *COLLECTED))}
    with serving(given) as address:
        remote = {
            "RINGFENCE_HOME": str(tmp_path_factory.mktemp("far") / "none"),
            "RINGFENCE_URL": address,
            "RINGFENCE_TOKEN": home.people[Role.OWNER].token,
        }
        stated |= {"socket": answer(called(given, *COLLECTED)), "url": answer(called(remote, *COLLECTED))}
        settled(remote)
        read = {"socket": [answer(called(given, *verb)) for verb in VERBS]}
        read["url"] = [answer(called(remote, *verb)) for verb in VERBS]
    read["in-process"] = [answer(called(given, *verb)) for verb in VERBS]
    return read, stated


def settled(given):
    """Wait until the collectors, which `up` runs once at its start, have stated what they found."""
    before = -1
    for _ in range(60):
        size = answer(called(given, "ledger", "head", "--json"))["size"]
        if size == before:
            return
        before = size
        time.sleep(1)


@pytest.mark.parametrize("way", ["socket", "url"])
def test_reading_verbs_answer_the_same(answers, way):
    read, _ = answers
    assert read[way] == read["in-process"]


def test_a_collector_is_published_whichever_way_it_was_asked(answers):
    _, stated = answers
    assert {document["type"] for document in stated.values()} == {"key.lifecycle"}
    assert {document["statement"]["stage"] for document in stated.values()} == {"published"}
    assert len({document["statement"]["entry"] for document in stated.values()}) == 3
