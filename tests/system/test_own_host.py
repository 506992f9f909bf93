"""A machine of one's own: a real sshd and a real nftables, cut off from inside.

The contract is in tests/contract/test_providers.py; here is what only a machine of one's own does.
"""

import contextlib
import re
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.compute.lifecycle import Order
from ringfence.compute.model import NodeClass, QuarantineKind
from ringfence.compute.providers import in_guest, processes, sshd
from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.hosts import Hosts
from ringfence.compute.providers.own_host import OwnHostProvider
from ringfence.installation import SystemClock
from ringfence.kernel.errors import Conflict, MalformedInput, Refused, Unavailable, VerificationFailed
from ringfence.soc.sources.auth import AuthLog
from ringfence.testing import compute, own_host
from ringfence.testing.nodes import BERT, CARL, TENANT, World
from ringfence.tour.lab import until

pytestmark = [
    pytest.mark.skipif(bool(own_host.missing()), reason=own_host.missing() or "-"),
    pytest.mark.allow_hosts([*own_host.HOSTS]),
]

# What the machine's root has set up: rules with counters, a ban list that fills itself, one that people keep.
OWN_RULES = """
table inet filter {
  set banned { type ipv4_addr; flags dynamic,timeout; timeout 1h; }
  set kept { type ipv4_addr; elements = { 192.0.2.7, 192.0.2.8 } }
  chain input { type filter hook input priority 0; policy accept; ip saddr @banned drop; ip saddr @kept counter drop; }
  chain output { type filter hook output priority -450; policy accept; counter accept; }
}
"""


@pytest.fixture
def authority(tmp_path):
    return KeyFileAuthority(tmp_path / "keys" / "ssh_ca", SystemClock())


@pytest.fixture
def machine(tmp_path):
    with own_host.lab(tmp_path) as made:
        yield made


def suite_of(machine, authority, place, **changes):
    def opened():
        return OwnHostProvider(place / "hosts", authority)

    wanted = compute.spec(
        **{"node_class": NodeClass.OWN, "address": machine.address, "host_key": machine.host_key, **changes}
    )
    return compute.cleaned(compute.Suite(opened(), authority, SystemClock(), wanted, place, opened))


@pytest.fixture
def suite(machine, authority, tmp_path):
    with suite_of(machine, authority, tmp_path) as made:
        machine.trust(authority.ca_public(), made.node)
        yield made


STOP_SSHD = "kill $(cat /run/guest/sshd.pid); while test -e /run/guest/sshd.pid; do sleep 0.02; done"


def observed(provider, node):
    return {probe.path: probe.observed for probe in provider.probe(node)}


def test_a_cut_is_one_table_before_all_others(machine, suite):
    machine.nft(OWN_RULES)
    before = in_guest.rest(machine.inside("nft", "-s", "list", "ruleset"))
    suite.start()
    provider, node = suite.provider, suite.node
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server((address, 4000))) for address in MINE]
        lived = stack.enter_context(own_host.connected(source=own_host.OTHER))
        ours = stack.enter_context(own_host.connected(source=own_host.CONTROLLER))
        assert own_host.echoes(lived)
        assert own_host.echoes(ours)
        assert machine.reaches(own_host.CONTROLLER, 4000)
        open_paths = observed(provider, node)
        assert {open_paths[path] for path in ("controller-to-node", "node-to-controller", "node-to-world")} == {"open"}

        cut = provider.isolate(node)
        assert cut.kind is QuarantineKind.IN_GUEST
        assert in_guest.rest(machine.inside("nft", "-s", "list", "ruleset")) == before
        heard = machine.heard()
        assert not own_host.echoes(lived), "an established connection goes on"
        assert not own_host.echoes(ours), "ours goes on, and is not SSH"
        assert machine.heard() == heard, "it does not answer, and still listens"
        with pytest.raises(TimeoutError):
            own_host.connected(source=own_host.OTHER, port=22)
        with pytest.raises(TimeoutError):
            own_host.connected(source=own_host.CONTROLLER)
        for address in (own_host.CONTROLLER, own_host.OTHER):
            assert not machine.reaches(address, 4000)
        machine.inside("nft", "add", "element", "inet", "filter", "banned", "{ 192.0.2.99 }")
        shown = provider.probe(node)
        assert {probe.path for probe in shown if probe.tried} >= {
            "controller-to-node", "node-to-controller", "node-to-world", "metadata", "ipv6", "forensic",
        }  # fmt: skip
        assert all(probe.ok for probe in shown if probe.tried), shown
        assert suite.ssh("true", forensic=True).done
        assert not any(_accepts(listener) for listener in listeners[1:])

    provider.restore(node, cut.before)
    assert in_guest.rest(machine.inside("nft", "-s", "list", "ruleset")) == before
    assert "ringfence" not in machine.rules()
    with own_host.connected(source=own_host.OTHER) as again:
        assert own_host.echoes(again)


MINE = (own_host.CONTROLLER, own_host.OTHER)


def _accepts(listener):
    listener.settimeout(0)
    with contextlib.suppress(OSError):
        listener.accept()[0].close()
        return True
    return False


def test_our_own_answers_are_no_way_out(machine, suite):
    suite.start()
    suite.provider.isolate(suite.node)
    machine.inside("sh", "-c", STOP_SSHD)
    with socket.create_server((own_host.CONTROLLER, 4001)):
        assert not machine.reaches(own_host.CONTROLLER, 4001, source_port=22), "from the port of sshd it gets out"
        machine.nft(in_guest.REMOVAL)
        assert machine.reaches(own_host.CONTROLLER, 4001, source_port=22), "the check itself does not work"


def test_root_there_can_undo_it_and_we_see_that(machine, suite, tmp_path):
    suite.start()
    cut = suite.provider.isolate(suite.node)
    machine.nft(in_guest.REMOVAL)
    assert not all(probe.ok for probe in suite.provider.probe(suite.node) if probe.tried)
    heir = suite.again()
    assert suite.node not in heir.isolated()
    assert heir.isolate(suite.node).before == cut.before
    assert suite.node in heir.isolated()
    machine.nft("table ip mine { chain c { type filter hook input priority 0; }; }")
    with pytest.raises(Conflict, match="changed while it was cut off"):
        heir.restore(suite.node, cut.before)
    assert in_guest.HEAD in machine.rules(), "it was freed although the rules had changed"
    assert (tmp_path / "hosts" / suite.node / "before.nft").exists()
    machine.nft("delete table ip mine")
    heir.restore(suite.node, cut.before)


def test_one_that_does_not_answer_stays_cut_off(machine, suite):
    suite.start()
    suite.provider.isolate(suite.node)
    machine.end()
    assert suite.node in suite.again().isolated()


def test_nobody_is_trusted_on_first_use(suite):
    for key, kind in (("", MalformedInput), ("ssh-rsa AAAA", MalformedInput)):
        with pytest.raises(kind, match="ssh-keyscan"):
            suite.provider.create(replace(suite.spec, host_key=key))
    with pytest.raises(VerificationFailed):
        suite.provider.create(replace(suite.spec, host_key=sshd.new_host_key().public))
    assert suite.provider.existing() == frozenset()


def test_another_host_key_later_on_reaches_nobody(machine, suite, tmp_path):
    suite.start()
    hosts = Hosts(tmp_path / "hosts")
    hosts.write(replace(hosts.known(suite.node), host_key=sshd.new_host_key().public))
    with pytest.raises(VerificationFailed, match="another host key"):
        suite.provider.isolate(suite.node)
    assert machine.rules() == ""


def test_it_waits_for_trust_and_says_what_it_is(machine, authority, tmp_path):
    with suite_of(machine, authority, tmp_path) as suite:
        machine.trust(authority.ca_public(), "n-0badbad0")
        suite.provider.create(suite.spec)
        assert suite.provider.inspect(suite.node).running
        assert not suite.provider.ready(suite.node)
        machine.trust(authority.ca_public(), suite.node)
        heir = suite.again()
        until(lambda: heir.ready(suite.node), "an answer of its SSH")
        assert "ID controller" in machine.inside("cat", "/var/log/auth.log")
        other = compute.spec(2, node_class=NodeClass.OWN, address=machine.address, host_key=machine.host_key)
        with pytest.raises(Conflict, match="shows this host key"):
            heir.create(other)


def test_who_meets_it_late_does_not_forget_that_it_was_cut_off_meanwhile(suite, tmp_path):
    suite.provider.create(suite.spec)
    hosts, heir = Hosts(tmp_path / "hosts"), suite.again()
    unmet = replace(hosts.known(suite.node), met=False)
    hosts.write(unmet)
    meeting = threading.Thread(target=heir.ready, args=(suite.node,))
    with hosts.locked(suite.node):
        inode = (tmp_path / "hosts" / f".{suite.node}.lock").stat().st_ino
        meeting.start()
        until(lambda: re.search(f"-> .*:{inode} ", Path("/proc/locks").read_text()), "the wait for the lock")
        hosts.write(replace(unmet, cut=True, before="ab" * 32))
    meeting.join(20)
    assert hosts.known(suite.node) == replace(unmet, met=True, rules="root", cut=True, before="ab" * 32)


def test_a_user_who_may_not_load_rules(authority, tmp_path):
    with own_host.lab(tmp_path, user="deploy") as machine, suite_of(machine, authority, tmp_path) as suite:
        machine.trust(authority.ca_public(), suite.node)
        suite.start()
        assert suite.provider.inspect(suite.node).quarantine is QuarantineKind.NO
        with pytest.raises(Unavailable, match="cannot be cut off"):
            suite.provider.isolate(suite.node)
        assert suite.node not in suite.provider.isolated()


def test_by_ipv6(machine, authority, tmp_path):
    address = f"ssh://root@[{own_host.GUEST6}]:22"
    with suite_of(machine, authority, tmp_path, address=address) as suite:
        machine.trust(authority.ca_public(), suite.node)
        suite.start()
        cut = suite.provider.isolate(suite.node)
        machine.inside("ip", "-6", "neigh", "flush", "dev", "eth0")
        assert all(probe.ok for probe in suite.provider.probe(suite.node) if probe.tried)
        with pytest.raises(TimeoutError):
            own_host.connected(source=own_host.CONTROLLER, port=22)
        suite.provider.restore(suite.node, cut.before)


def test_its_log_is_followed_again_and_read(suite):
    suite.start()
    (log,) = suite.provider.logs(suite.node)
    until(lambda: suite.ssh("true").done and "Accepted publickey" in Path(log.path).read_text(), "the line of a login")
    following = suite.provider._following
    follower = following._written(suite.node).read()
    family = [seen.process for seen in processes.family(follower.pid)]
    following.end(suite.node)
    assert not any(process.alive for process in family)
    heir = suite.again()
    heir.inspect(suite.node)
    bad = compute.public_line(suite.key)
    until(
        lambda: not suite.ssh("true", certificate=bad).done and "[preauth]" in Path(log.path).read_text(),
        "the line of a failure",
    )
    reader = AuthLog(node=suite.node)
    lines = Path(log.path).read_text().splitlines()
    events = [event for line in lines if (event := reader.read(line, SystemClock().now()))]
    assert reader.unparsed_count == 0, reader.unparsed
    assert {event.fields["metadata.event_code"] for event in events} >= {"accepted"}
    assert {event.fields["src_endpoint.ip"] for event in events} == {own_host.CONTROLLER}
    assert {event.fields["device.hostname"] for event in events} == {suite.node}


def test_from_an_address_to_a_release_by_two(machine, authority, tmp_path):
    world = World()
    compute_ = world.compute()
    compute_.desk.providers[NodeClass.OWN] = OwnHostProvider(tmp_path / "hosts", authority)
    order = Order("app-1", NodeClass.OWN, address=machine.address, host_key=machine.host_key)
    node = compute_.start(CARL, order)
    assert world.row(node).state == "starting", (
        "it waits for somebody to install our authority, and nobody waits for it"
    )
    machine.trust(authority.ca_public(), node.id)
    compute_.desk.providers[NodeClass.OWN] = OwnHostProvider(tmp_path / "hosts", authority)
    compute_.sweep()
    assert world.row(node).state == "ready", world.row(node).because
    assert world.claims("node.started")[0]["isolation"] == "dedicated-host"

    done = compute_.quarantine(TENANT, node.id, reason="tried", finding="f-1")
    assert (done.confirmed, done.kind) == (True, QuarantineKind.IN_GUEST), done
    compute_.sweep()
    assert world.claims("quarantine.confirmed")[0]["kind"] == "in-guest"
    assert world.claims("quarantine.failed") == []
    with pytest.raises(Refused):
        compute_.certificate(CARL, "app-1", compute.public_line(Ed25519PrivateKey.generate()))

    request = world.request(compute_, node)
    approval = world.approval(node, request.digest)
    compute_.releasing.approve(BERT, "app-1", approval, None)
    compute_.sweep()
    assert world.row(node).containment == "none"
    assert machine.rules() == ""
    compute_.stop(CARL, "app-1")
    assert not (tmp_path / "hosts" / node.id).exists()
