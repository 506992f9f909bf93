"""The provider contract: on the fake, on namespace nodes, on a host of one's own.

A class joins the suite by a line in `CLASSES`: how it is opened, and why it cannot be here, if so.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from ringfence import components
from ringfence.compute.model import NodeClass, QuarantineKind
from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.namespace import NamespaceProvider
from ringfence.compute.providers.own_host import OwnHostProvider
from ringfence.fabric.client import Fabric
from ringfence.fabric.desired import CONTROL
from ringfence.installation import SystemClock
from ringfence.kernel.errors import Conflict
from ringfence.testing import compute, fabric, own_host
from ringfence.testing.sandboxes import MemoryProvider
from ringfence.tour.lab import until


def lacking(*programs):
    missing = [name for name in programs if not components.present(name)]
    return f"missing: {', '.join(missing)} (`make setup` installs them)" if missing else fabric.missing()


@dataclass(frozen=True)
class Kind:
    """A class of nodes under the contract."""

    node_class: NodeClass
    provider: type
    missing: str
    patience: float
    in_guest: bool = False  # it has a network, limits and a log of its own, and root there can undo the cut


CLASSES = [
    pytest.param(
        Kind(NodeClass.NAMESPACE, NamespaceProvider, lacking("bwrap", "sshd", "ssh"), 10.0),
        id="namespace",
    ),
    pytest.param(
        Kind(NodeClass.OWN, OwnHostProvider, own_host.missing(), 10.0, in_guest=True),
        id="own",
        marks=pytest.mark.allow_hosts([*own_host.HOSTS]),
    ),
]


class NoEffects:
    """A world in which everything goes well."""

    def effect(self, _name):
        return contextlib.nullcontext()


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    if missing := fabric.missing():
        pytest.skip(missing)
    with fabric.lab(tmp_path_factory.mktemp("net") / "fabric") as made:
        yield made


@pytest.fixture(scope="module", params=CLASSES)
def kind(request):
    if request.param.missing:
        pytest.skip(request.param.missing)
    return request.param


class FollowedSuite(compute.Suite):
    """A suite of a node whose log is followed from outside: it begins when lines arrive."""

    def start(self):
        super().start()
        (log,) = self.provider.logs(self.node)
        until(lambda: self.ssh("true").done and Path(log.path).exists() and Path(log.path).read_bytes(), "its log")


@pytest.fixture
def suite(kind, request, tmp_path):
    authority = KeyFileAuthority(tmp_path / "keys" / "ssh_ca", SystemClock())
    with contextlib.ExitStack() as stack:
        if kind.in_guest:
            machine = stack.enter_context(own_host.lab(tmp_path))
            wanted = compute.spec(node_class=kind.node_class, address=machine.address, host_key=machine.host_key)
            machine.trust(authority.ca_public(), wanted.node)
            made, needed = FollowedSuite, ()
        else:
            directory = request.getfixturevalue("net").directory
            wanted = compute.spec(node_class=kind.node_class)
            made, needed = compute.Suite, (lambda: Fabric.open(directory),)

        def opened():
            return kind.provider(tmp_path / "nodes", *needed, authority)

        tried = made(opened(), authority, SystemClock(), wanted, tmp_path, opened, patience=kind.patience)
        yield stack.enter_context(compute.cleaned(tried))


@pytest.fixture
def bounded(kind):
    """Skip what is no promise for a machine of one's own."""
    if kind.in_guest:
        pytest.skip("a machine of one's own has its own network and its own limits")


@pytest.fixture
def fake():
    return MemoryProvider(NoEffects())


def test_the_fake_keeps_the_contract(fake):
    compute.knows_nothing_of_strangers(fake)
    compute.makes_it_once_and_destroys_it_wholly(fake, compute.spec())
    compute.cuts_once_and_gives_back(fake, compute.spec())


def test_strangers(suite):
    compute.knows_nothing_of_strangers(suite.provider)


def test_making_and_destroying(suite):
    compute.makes_it_once_and_destroys_it_wholly(suite.provider, suite.spec)


def test_cutting_once(suite):
    compute.cuts_once_and_gives_back(suite.provider, suite.spec)


def test_a_certificate_opens_on_the_first_connection(suite):
    compute.lets_a_certificate_in(suite)


def test_it_says_how_it_is_set_up_and_shows_a_change(suite, kind):
    listening = (
        'python3 -c \'import os, socket, time\ns = socket.create_server(("0.0.0.0", 4444))\nif os.fork(): os._exit(0)'
        "\nos.setsid()\nfor n in 0, 1, 2: os.close(n)\ntime.sleep(60)'"
    )
    compute.says_how_it_is_set_up(suite, ("sh", "-c", listening))
    if kind.node_class is not NodeClass.OWN:
        with pytest.raises(Conflict):
            suite.provider.keep_baseline(suite.node, {})


def test_other_certificates_do_not(suite, tmp_path):
    compute.refuses_other_certificates(suite, KeyFileAuthority(tmp_path / "keys" / "other_ca", suite.clock))


def test_a_changed_host_key(suite):
    compute.refuses_a_changed_host_key(suite)


@pytest.mark.usefixtures("bounded")
def test_default_deny(suite, request):
    net = request.getfixturevalue("net")
    peer = net.nodes.get("peer") or net.node("peer")
    compute.reaches_nothing(suite, peer.address, CONTROL)


def test_logs(kind, suite):
    compute.logs_arrive_on_our_side(suite, from_inside=kind.in_guest)


@pytest.mark.usefixtures("bounded")
def test_process_limit(suite):
    compute.holds_processes_back(suite)


@pytest.mark.usefixtures("bounded")
def test_memory_limit(suite):
    if not any(held.startswith("memory: control group") for held in suite.provider.offer().limits):
        pytest.skip("no memory control group can be made here")
    compute.holds_memory_back(suite)


def test_the_cut(kind, suite):
    expected = QuarantineKind.IN_GUEST if kind.in_guest else QuarantineKind.OUTSIDE_GUEST
    assert suite.provider.offer().quarantine is expected
    compute.a_cut_holds_and_ends(suite, one_way=kind.in_guest)


def test_evidence(suite):
    compute.tells_what_is_volatile(suite)


def test_restart(suite):
    compute.survives_our_restart(suite)
