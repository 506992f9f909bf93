"""From a stranger's guesses to a node that is cut off, decided on and freed: real nodes, sshd, network, mail."""

import email
import email.policy
import json
import socket
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from ringfence.compute.blobs import EvidenceFolder
from ringfence.compute.forensics import verify_chain
from ringfence.fabric.model import PortState
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Refused, VerificationFailed
from ringfence.testing import lab as labs
from ringfence.testing.home import TENANT

pytestmark = pytest.mark.skipif(bool(labs.missing()), reason=labs.missing() or "-")
GUESSER, BYSTANDER, INTRUDER, SECOND = "203.0.113.7", "203.0.113.9", "198.51.100.8", "198.51.100.9"
QUIET, TRAINEE, SPARED = "198.51.100.21", "198.51.100.22", "198.51.100.23"
NOT_BLOCKED = "198.51.100.0/24"  # so that what ends there was ended by the cut, and not by a block
TALKS = "while echo here; do sleep 0.05; done"


class Inbox:
    """What a mail server was handed."""

    def __init__(self):
        self.messages = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd looks for this name
        self.messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"


class Hook(BaseHTTPRequestHandler):
    """Keep what is posted."""

    def do_POST(self):
        self.server.taken.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_arguments):
        """Stay quiet."""


@contextmanager
def sinks():
    controllers = pytest.importorskip("aiosmtpd.controller", reason="no aiosmtpd here (it is in the group `test`)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inbox, hook = Inbox(), ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    hook.taken = []
    mail = controllers.Controller(inbox, hostname="127.0.0.1", port=port)
    mail.start()
    thread = threading.Thread(target=hook.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield inbox, hook, port
    finally:
        mail.stop()
        hook.shutdown()
        thread.join()
        hook.server_close()


@pytest.fixture(scope="module")
def lab(made_now, tmp_path_factory):
    """One installation with its nodes: `lab` lets passwords in, `spared` and `trainee` do too."""
    place = tmp_path_factory.mktemp("cut-off")
    home = made_now.copy(place / "home")
    with sinks() as (inbox, hook, port):
        secret = place / "secret"
        secret.write_text("of the webhook")
        secret.chmod(0o600)
        mail = {"host": "127.0.0.1", "port": port, "tls": "none", "from": "r@example.eu", "to": ["soc@example.eu"]}
        web = {"url": f"http://127.0.0.1:{hook.server_port}/hook", "secret_file": str(secret)}
        channels = {"format": "ringfence-alerts/v1", "tenants": {TENANT: {"mail": mail, "webhook": web}}}
        (home.path / "alerts.json").write_text(json.dumps(channels))
        (home.path / "alerts.json").chmod(0o600)
        with labs.running(home, place / "work") as made:
            made.settle(isolations=50, cooldown_seconds=0, never_block=[NOT_BLOCKED], never_isolate=["spared"])
            made.inbox, made.hook = inbox.messages, hook.taken
            made.node = made.start("lab", password=True)
            made.neighbour = made.start("neighbour")
            yield made


def attack(lab, host, address, *command):
    """Guess, then use the right password, in one connection."""
    return lab.stranger(address).guess(host, [*labs.wrong(), lab.password], *command)


def enough(lab, predicate, count=1, **claims):
    """Return the statements of a kind, once there are enough of them."""
    return lab.until(
        lambda: len(found := lab.stated(predicate, **claims)) >= count and found, f"{count} {predicate} {claims}"
    )


@pytest.fixture(scope="module")
def guessed(lab):
    """Guesses, of which none is right."""
    stranger, other = lab.stranger(GUESSER), lab.stranger(BYSTANDER)
    host = lab.node["network_address"]
    stranger.guess(host, labs.wrong())
    finding = lab.finding("ssh-guessing", GUESSER)
    incident = lab.incident(lab.node["node"])
    blocked, let_in = not stranger.connects(host), other.connects(host)
    return SimpleNamespace(finding=finding, incident=incident, blocked=blocked, let_in=let_in, shown=lab.show("lab"))


@pytest.fixture(scope="module")
def broken_in(lab, guessed):  # noqa: ARG001 - the order in which it happens
    """Guesses, then the right password from an address that is never blocked; a neighbour talks all the while."""
    host, stranger, seen = lab.node["network_address"], lab.stranger(INTRUDER), SimpleNamespace()
    lab.stranger(SECOND)
    seen.ruleset = lab.ruleset()
    seen.before = lab.ruleset(lab.neighbour["network_address"])
    guesses = [*labs.wrong(), lab.password]
    said = lab.work / "session"
    with lab.stream("neighbour") as stream:
        with said.open("wb") as out:
            session = subprocess.Popen(
                stranger.command(host, len(guesses), TALKS), env=stranger.environment(guesses),
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        seen.shown = lab.isolated("lab")
        seen.came_in, seen.size = said.stat().st_size > 0, said.stat().st_size
        echoed = stream.echoed
        lab.until(lambda: stream.echoed > echoed + 10, "the neighbour's lines after the cut")
        seen.later = said.stat().st_size
    session.wait(timeout=30)
    seen.sent, seen.echoed = stream.sent, stream.echoed
    seen.after = lab.ruleset(lab.neighbour["network_address"])
    seen.state = lab.net.fabric.nodes()
    seen.newcomer = lab.stranger(SECOND).connects(host)
    seen.finding = lab.finding("ssh-guessing-then-success", INTRUDER)
    seen.incident = lab.until(
        lambda: len((shown := lab.incident(lab.node["node"]))["finding_ids"]) >= 3 and shown, "a longer incident"
    )
    return seen


@pytest.fixture(scope="module")
def decided(lab, broken_in, tmp_path_factory):
    """A person calls it significant, and the early warning is drafted."""
    name = broken_in.incident["incident"]
    codes = ",".join(row["code"] for row in broken_in.incident["criteria"] if row["proposed"])
    triaged = lab.ask(
        "incident", "triage", name, "--significant", "--criteria", codes, "--malicious", "yes", "--reason", "data read"
    )
    file = tmp_path_factory.mktemp("draft") / "early-warning.json"
    lab.ask("report", "early-warning", name, "-o", str(file))
    return SimpleNamespace(before=broken_in.incident, triaged=triaged, draft=json.loads(file.read_text()))


@pytest.fixture(scope="module")
def released(lab, decided):  # noqa: ARG001 - the order in which it happens
    """Two people free the node, after others have tried."""
    seen = SimpleNamespace(tries={})
    seen.engineer = lab.ask("node", "release", "lab", "--reason", "clean", role=Role.ENGINEER, code=3)
    asked = lab.ask("node", "release", "lab", "--reason", "clean")
    request = ("node", "release", "lab", "--approve", asked["request"])
    seen.same = lab.ask(*request, code=3)
    seen.auditor = lab.ask(*request, role=Role.AUDITOR, code=3)
    seen.held = lab.net.fabric.nodes()[lab.node["node"]]
    seen.done = lab.ask(*request, role=Role.OWNER)
    seen.ruleset = lab.ruleset()
    seen.request = request
    return seen


@pytest.fixture(scope="module")
def again(lab, released):
    """The next attack, from another address, and the old approval once more."""
    attack(lab, lab.node["network_address"], SECOND, TALKS)
    shown = lab.until(lambda: (one := lab.isolated("lab"))["held"]["number"] == 2 and one, "the second cut")
    refused = lab.ask(*released.request, role=Role.OWNER, code=3)
    return SimpleNamespace(shown=shown, refused=refused, state=lab.net.fabric.nodes()[lab.node["node"]])


def test_guessing_alone_blocks_the_source_and_nobody_else(guessed):
    states = {act["action"]: act["state"] for act in guessed.finding["actions"]}
    assert states == {"block-source": "done", "alert": "done"}
    assert guessed.blocked
    assert guessed.let_in


def test_guessing_alone_does_not_cut_the_node_off(guessed, lab):
    assert guessed.shown["containment"] == "none"
    assert not [act for act in guessed.finding["actions"] if act["action"] == "isolate-node"]
    assert lab.stated("response.decided", finding=guessed.finding["finding"])


def test_guessing_is_stated_and_people_are_told(guessed, lab):
    reference = guessed.finding["finding"]
    assert len(enough(lab, "finding.raised", finding=reference, authenticated=True)) == 1
    assert len(enough(lab, "response.decided", finding=reference)) == 1
    assert len(enough(lab, "source.blocked", finding=reference)) == 1
    sent = enough(lab, "alert.sent", 2, about=reference)
    assert sorted(one.statement.claims["channel"] for one in sent) == ["mail", "webhook"]
    assert all(GUESSER not in str(one.statement.claims) for one in [*sent, *lab.stated("source.blocked")])
    assert [one["to"] for one in lab.inbox if "guessing" in one["subject"].lower()]
    (posted,) = [one for one in lab.hook if one.get("finding") == reference or one["alert"].startswith(reference)]
    assert GUESSER in json.dumps(posted)


def test_guessing_opens_an_incident_with_no_clock_of_the_law(guessed):
    assert guessed.incident["state"] == "untriaged"
    assert [(clock["id"], clock["state"]) for clock in guessed.incident["clocks"]] == [("triage", "provisional")]


def test_a_success_after_guesses_cuts_the_node_off_outside_of_the_guest(broken_in, lab):
    held = broken_in.shown["held"]
    assert held["kind"] == "outside-guest"
    assert broken_in.state[lab.node["node"]] == PortState.QUARANTINED
    assert broken_in.state[lab.neighbour["node"]] == PortState.ADMITTED
    assert not broken_in.newcomer


def test_the_intruder_was_in_and_is_not_any_more(broken_in):
    assert broken_in.came_in, "the stranger never came in, so that nothing was cut off"
    assert broken_in.later == broken_in.size


def test_nobody_of_ours_reaches_the_node_but_the_forensic_channel(again, lab):
    assert again.state == PortState.QUARANTINED
    with pytest.raises(Refused):
        lab.net.fabric.connect(lab.node["node"])
    with lab.net.fabric.connect(lab.node["node"], via="forensic") as channel:
        assert channel.recv(4) == b"SSH-"


def test_evidence_was_taken_before_the_cut_and_one_altered_byte_shows(broken_in, lab):
    claims = enough(lab, "forensics.collected", node=lab.node["node"], number=1)[0].statement.claims
    assert claims["beforeCut"] is True
    assert {"processes", "sockets", "log-tail"} <= {item["name"] for item in claims["items"]}
    assert claims["chain"] == broken_in.shown["held"]["evidence"]
    chain = Digest.parse(claims["chain"])
    items, salt = EvidenceFolder(lab.home.path / "evidence").read(lab.node["node"], 1, chain)
    verify_chain(items, salt, chain)
    assert f"{INTRUDER}:".encode() in items["sockets"], "the intruder's connection was gone when it was collected"
    assert b"sshd: ringfence" in items["processes"], "the intruder's session; its shell may not have started yet"
    for name in items:
        with pytest.raises(VerificationFailed):
            verify_chain(items | {name: items[name][:-1] + b"?"}, salt, chain)


def test_the_cut_is_stated_with_its_probes_and_its_milliseconds(broken_in, lab):
    (confirmed,) = lab.stated("quarantine.confirmed", node=lab.node["node"], number=1)
    claims = confirmed.statement.claims
    assert claims["before"] == broken_in.shown["held"]["before"]
    assert claims["cutMicros"] > 0
    probes = {probe["path"]: probe["observed"] for probe in claims["probes"]}
    assert probes["established"] == probes["node-to-controller"] == probes["metadata"] == "blocked"
    assert probes["forensic"] == "answers"
    (decided,) = lab.stated("response.decided", finding=broken_in.finding["finding"])
    assert decided.statement.claims["actedAt"] >= decided.statement.claims["decidedAt"] >= 0
    assert len(enough(lab, "quarantine.requested", node=lab.node["node"], number=1)) == 1


def test_a_neighbour_notices_nothing(broken_in):
    assert broken_in.before == broken_in.after != ""
    assert broken_in.echoed == broken_in.sent > 20


def test_the_incident_grows_by_the_cut(guessed, broken_in):
    assert broken_in.incident["incident"] == guessed.incident["incident"]
    said = [entry["text"] for entry in broken_in.incident["timeline"]]
    assert any("isolated" in text for text in said)
    assert broken_in.incident["timeline_intact"]


def test_a_signed_decision_starts_the_clocks(decided):
    assert decided.triaged["state"] == "significant"
    running = {clock["id"] for clock in decided.triaged["clocks"]}
    assert "nis2.early_warning" in running
    assert "triage" not in {clock["id"] for clock in decided.triaged["clocks"] if clock["state"] == "provisional"}


def test_the_early_warning_says_nothing_that_nobody_knows(decided, lab):
    assert decided.draft["fields"]
    known = {str(one.digest) for name in ("finding.raised", "incident.opened", "incident.extended", "incident.triage")
             for one in lab.stated(name)}  # fmt: skip
    for field in decided.draft["fields"]:
        match field["basis"]:
            case "evidence":
                assert set(field["evidence"]) <= known, field
                assert field["evidence"], field
            case "person":
                assert field["person"]["id"], field
            case "not known at this time":
                assert field["value"] == "not known at this time", field
            case other:
                raise AssertionError(other)


def test_two_people_release_and_everything_is_as_it_was(released, broken_in):
    assert released.done["state"] == "released"
    assert released.ruleset == broken_in.ruleset


def test_nobody_releases_alone_or_without_the_right(released):
    assert "another" in released.same["error"]["message"]
    assert released.auditor["error"]["kind"] == released.engineer["error"]["kind"] == "refused"
    assert released.held == PortState.QUARANTINED


def test_an_approval_is_good_for_one_quarantine(again):
    assert again.refused["error"]["kind"] == "refused"
    assert again.state == PortState.QUARANTINED


def test_after_a_release_the_next_attack_is_cut_off_again(again):
    assert again.shown["held"]["number"] == 2


@pytest.fixture(scope="module")
def spared(lab):
    """Another node that lets passwords in; it is on the list of those that are never isolated."""
    return lab.start("spared", password=True)


@pytest.fixture(scope="module")
def dry(lab, again):  # noqa: ARG001 - the settings are of the whole tenant: not while another attack is played
    """The same attack in dry run, on a node that would be cut off."""
    node = lab.start("quiet", password=True)
    lab.settle(mode="dry-run", never_block=[])
    stranger = lab.stranger(QUIET)
    before = lab.ruleset(), lab.net.fabric.blocked(), lab.net.fabric.state_digest()
    done = stranger.guess(node["network_address"], [*labs.wrong(), lab.password], "sleep 1; echo all of it")
    finding = lab.finding("ssh-guessing-then-success", QUIET)
    after = lab.ruleset(), lab.net.fabric.blocked(), lab.net.fabric.state_digest()
    open_still = stranger.connects(node["network_address"])
    lab.settle(mode="act", never_block=[NOT_BLOCKED])
    return SimpleNamespace(node=node, done=done, finding=finding, before=before, after=after, open_still=open_still)


def test_a_dry_run_touches_no_packet(dry, lab):
    assert dry.done.stdout == b"all of it\n"
    assert dry.before == dry.after
    assert dry.open_still
    assert lab.show("quiet")["held"] is None


def test_a_dry_run_says_what_would_have_been_done_and_when(dry, lab):
    (decided,) = lab.stated("response.decided", finding=dry.finding["finding"])
    claims = decided.statement.claims
    assert claims["dryRun"] is True
    assert {act["action"]: act["ruling"] for act in claims["actions"]}["isolate-node"] == "would-have"
    assert {"findingAt", "decidedAt", "actedAt"} <= claims.keys()
    assert not lab.stated("quarantine.requested", node=dry.node["node"])


def test_a_node_on_the_list_is_never_isolated(spared, dry, lab):  # noqa: ARG001 - settings act again
    attack(lab, spared["network_address"], SPARED, "true")
    finding = lab.finding("ssh-guessing-then-success", SPARED)
    acts = {act["action"]: (act["ruling"], act["reason"]) for act in finding["actions"]}
    assert acts["isolate-node"] == ("skip", "never-isolate")
    assert acts["alert"][0] == "take"
    assert lab.show("spared")["containment"] == "none"
    assert not lab.stated("quarantine.requested", node=spared["node"])


def test_guessing_isolates_a_training_node_where_the_tenant_says_so_and_no_other(spared, dry, lab):  # noqa: ARG001
    trainee = lab.start("trainee", password=True, training=True)
    lab.settle(on_attempts="isolate", never_isolate=[])
    try:
        stranger = lab.stranger(TRAINEE)
        for node in (spared, trainee):
            stranger.guess(node["network_address"], labs.wrong())
        lab.isolated("trainee")
        for name in ("spared", "trainee"):
            lab.until(lambda name=name: [one for one in lab.findings("ssh-guessing") if one["source"] == TRAINEE
                                         and one["node_name"] == name and one["actions"]], "both findings")  # fmt: skip
        assert lab.show("spared")["containment"] == "none"
        assert lab.net.fabric.nodes()[spared["node"]] == PortState.ADMITTED
    finally:
        lab.settle(on_attempts="block", never_isolate=["spared"])
