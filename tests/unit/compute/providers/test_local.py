"""What both classes do that run here, without a network; the rest is the contract and the tests of a whole node."""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ringfence.compute.providers import processes
from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.namespace import NamespaceProvider
from ringfence.compute.providers.records import Record, Records
from ringfence.compute.providers.vm import VmProvider
from ringfence.kernel.errors import Conflict, Unavailable
from ringfence.testing.clock import FakeClock
from ringfence.testing.compute import spec
from ringfence.tour.lab import until

NODE = spec().node
SLEEP = [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()"]


class Network:
    """A network that takes ports away."""

    def detach(self, node):
        """Do nothing."""


@pytest.fixture(params=[NamespaceProvider, VmProvider])
def kind(request):
    return request.param


def opened(kind, place):
    return kind(place / "nodes", Network, KeyFileAuthority(place / "ca", FakeClock()))


@contextlib.contextmanager
def process(marker):
    with subprocess.Popen([*SLEEP, marker], stdin=subprocess.PIPE) as child:
        try:
            until(lambda: processes.marked(marker), "its start")
            yield child
        finally:
            child.kill()


@pytest.mark.parametrize("name", ["", "guest="])
def test_a_process_that_carries_the_marker_is_the_node_and_is_ended_with_it(kind, tmp_path, name):
    provider = opened(kind, tmp_path)
    with process(f"{name}{provider._marker(NODE)}") as child:
        assert provider.existing() == {NODE}
        provider.destroy(NODE)
        assert child.wait() == -9
    assert provider.existing() == frozenset()


def test_groups_that_another_process_of_ours_made_elsewhere_go_with_the_node(kind, tmp_path):
    group = tmp_path / "group"
    group.mkdir()
    Records(tmp_path / "nodes").begin(Record(NODE, kind.node_class.value, groups=(str(group),)))
    opened(kind, tmp_path).destroy(NODE)
    assert not group.exists()


def test_whatever_stands_against_a_start_is_a_sentence_and_leaves_nothing(kind, tmp_path):
    provider = opened(kind, tmp_path)

    def make():
        provider._begun(Record(NODE, kind.node_class.value))
        raise OSError("the image cannot be read")

    with pytest.raises(Unavailable, match="lab-1 does not start: the image cannot be read"):
        provider._once(spec(), make)
    assert provider.existing() == frozenset()


@pytest.mark.skipif(os.geteuid() != 0, reason="without root there is nobody whose processes we may not end")
def test_a_process_that_cannot_be_ended_is_said_and_not_waited_for_without_end(kind):
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o777)
        provider = opened(kind, Path(place))
        with process(provider._marker(NODE)) as stranger:
            child = os.fork()
            if not child:
                try:
                    os.setresuid(65_534, 65_534, 65_534)
                    provider.destroy(NODE)
                except Conflict:
                    os._exit(0)
                finally:
                    os._exit(1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert stranger.poll() is None
