"""A practice beside a real installation: both attacks with real processes, and what must never come of them."""

import json
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ringfence.frontends.client import SOCKET, listening
from ringfence.testing import lab, program
from ringfence.testing.alone import alone
from ringfence.testing.alone import missing as no_network
from ringfence.tour.lab import until
from ringfence.workloads.practice.clearing import clear

LATER = ("incident.", "node.", "quarantine.", "finding.")  # what only an attack would make a real log say
FOLLOW = """
import http.client, json, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
connection.request("GET", sys.argv[2], headers={"host": "practice.localhost:" + sys.argv[1]})
answer = connection.getresponse()
print(json.dumps([answer.status, answer.getheader("set-cookie") or "", answer.read().decode()]))
"""


class Beside:
    """A real installation that `up` serves, and the practice below it."""

    def __init__(self, home, prefix):
        self.home, self.prefix, self.practice = home, prefix, home / "practice"
        assert program.called(self.given(home), "init").returncode == 0
        self.up = program.started(self.given(home), prefix=prefix)
        while "Ctrl-C" not in self.up.stderr.readline():
            assert self.up.poll() is None
        until(lambda: listening(home / SOCKET), "`ringfence up`")

    def given(self, home):
        return {"RINGFENCE_HOME": str(home)}

    def ask(self, *words, home=None, code=0):
        given = self.given(home or self.home)
        run = partial(program.run, prefix=self.prefix) if self.prefix else program.called
        done = run(given, *words, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def follow(self, link):
        parts = urlsplit(link)
        command = [*self.prefix, sys.executable, "-I", "-c", FOLLOW, str(parts.port), f"{parts.path}?{parts.query}"]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)

    def left(self):
        return lab.processes_of(self.practice)

    def end(self, number):
        self.up.send_signal(number)
        self.up.communicate(timeout=90)


@contextmanager
def beside(prefix=()):
    with tempfile.TemporaryDirectory(prefix="rf-") as folder, ExitStack() as scene:  # short: sockets have short names
        made = Beside(Path(folder) / "home", prefix)
        scene.callback(clear, made.home)  # the gateway outlives an `up` that was killed
        scene.callback(made.up.communicate, timeout=90)
        scene.callback(made.up.terminate)
        yield made


def test_a_link_opens_one_session_and_the_practice_ends_with_up():
    with beside() as both:
        started = both.ask("practice", "start")
        assert started["address"].startswith("http://practice.localhost:")
        status, cookie, text = both.follow(started["link"])
        assert (status, "url=/practise" in text) == (200, True)
        assert "ringfence_session=" in cookie
        assert both.follow(started["link"])[:2] == [401, ""], "once"
        again = both.ask("practice", "start")
        assert (again["address"], again["link"] == started["link"]) == (started["address"], False)
        assert both.left()
        both.end(signal.SIGTERM)
        assert both.left() == []


# Both attacks, once, with everything around them; the tests below look at what was seen.


def decided(both, incident, *words):
    return both.ask("incident", "triage", incident, *words, "--reason", "practised", home=both.practice)


def said(both, *words):
    return both.ask(*words, home=both.practice)


def attacked(both, which):
    played = both.ask("practice", "attack", which)
    node, room = said(both, "node", "show", played["node"]), said(both, "incident", "show", played["incident"])
    return played, node, room


def real(both):
    stated = both.ask("ledger", "list", "--limit", "200")["statements"]
    return {
        "stated": sorted({one["predicate"] for one in stated}),
        "incidents": both.ask("incident", "list")["incidents"],
        "findings": both.ask("findings", "list")["findings"],
        "nodes": both.ask("node", "list")["nodes"],
    }


@pytest.fixture(scope="module")
def seen():
    if because := lab.missing() or no_network():
        pytest.skip(because)
    with alone() as network, beside(network.prefix) as both:
        both.ask("practice", "start")
        found = {"before": real(both), "guesses": attacked(both, "guesses"), "leaked": attacked(both, "leaked")}
        found["refused"] = both.ask("practice", "attack", "nonsense", code=2)
        incidents = {which: found[which][0]["incident"] for which in ("guesses", "leaked")}
        found["not significant"] = decided(both, incidents["guesses"], "--not-significant")
        proposed = [one["code"] for one in found["leaked"][2]["criteria"] if one["proposed"]]
        found["significant"] = decided(both, incidents["leaked"], "--significant", "--criteria", ",".join(proposed))
        warning = both.home.parent / "warning.pdf"
        found["drafted"] = said(both, "report", "early-warning", incidents["leaked"], "-o", str(warning))
        found["pdf"] = warning.read_bytes()
        found["after"] = real(both)
        pack = both.home.parent / "real.pack"
        both.ask("report", "pack", "-o", str(pack))
        found["pack"], found["names"] = pack.read_bytes(), [both.practice.name, *incidents.values()]
        found["log"] = json.loads((both.practice / "ringfence.json").read_bytes())["log"]
        found["packets"] = network.left(), network.probed()
        found["ran"] = both.left()
        both.end(signal.SIGKILL)
        until(lambda: not both.left(), "the end of the practice after its `up` was killed")
        found["left"] = both.left()
        yield found


@pytest.mark.soak
def test_failed_guesses_block_the_source_and_start_no_clock(seen):
    played, node, room = seen["guesses"]
    assert "the source was blocked" in played["facts"]["done"]
    assert node["containment"] == "none", "whoever guesses must not be able to cut off what they guess at"
    assert [one for one in room["criteria"] if one["proposed"]] == []
    assert (seen["not significant"]["state"], seen["not significant"]["clocks"]) == ("not significant", [])


@pytest.mark.soak
def test_a_leaked_password_isolates_and_a_person_starts_the_clocks(seen):
    played, node, room = seen["leaked"]
    assert node["containment"] == "quarantined"
    assert "the node was isolated" in played["facts"]["done"]
    proposed = {one["code"]: one["facts"] for one in room["criteria"] if one["proposed"]}
    assert proposed.keys() >= {"3(1)(b)", "3(1)(e)"}
    assert all(proposed.values()), "each with its facts"
    assert room["state"] == "untriaged", "nobody decides for a person"
    clocks = {one["id"]: one["state"] for one in seen["significant"]["clocks"]}
    assert clocks["nis2.early_warning"] == clocks["nis2.notification"] == "pending"
    assert seen["pdf"].startswith(b"%PDF-")
    assert seen["drafted"]["unknown"]


@pytest.mark.soak
def test_nothing_of_the_practice_reaches_the_real_log_its_clocks_or_its_pack(seen):
    for when in ("before", "after"):
        assert [name for name in seen[when]["stated"] if name.startswith(LATER) and name != "incident.register"] == []
        assert seen[when]["incidents"] == seen[when]["findings"] == seen[when]["nodes"] == []
    assert seen["log"].startswith("demo/practice-")
    for name in (seen["log"], *seen["names"][1:], seen["leaked"][0]["node"], seen["leaked"][0]["finding"]):
        assert name.encode() not in seen["pack"]


@pytest.mark.soak
def test_no_packet_of_an_attack_leaves_this_machine(seen):
    assert seen["packets"] == (0, 1), "and what would leave it is counted"


@pytest.mark.soak
def test_the_practice_ends_with_its_nodes_where_up_is_killed(seen):
    assert any("sshd" in line or "nodes" in line for line in seen["ran"])
    assert seen["left"] == []
