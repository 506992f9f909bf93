import contextlib
import os
import socket
import threading

import pytest

from ringfence.fabric import desired, probes
from ringfence.fabric.desired import WITNESS, Desired


@pytest.fixture
def two():
    state = Desired()
    for node in ("a", "b"):
        state = desired.admit(desired.attach(state, node, pid=7, network=9), node)
    return desired.permit(desired.permit(state, "a", "b", 22), "b", "a", 80)


def test_a_path_that_is_permitted_is_tried_and_expected_open(two):
    assert probes._target(two, "a") == ("10.203.0.6", 22, "open")
    assert probes._origin(two, "a") == (two.port("b"), 80, "open")


def test_the_same_paths_are_expected_blocked_when_the_node_is_cut(two):
    cut = desired.quarantine(two, "a")
    assert probes._target(cut, "a") == ("10.203.0.6", 22, "blocked")
    assert probes._origin(cut, "a") == (two.port("b"), 80, "blocked")


@pytest.mark.parametrize(
    "change",
    [
        lambda state: desired.quarantine(state, "b"),  # whose silence would show nothing
        lambda state: desired.detach(state, "b"),
        lambda state: desired.attach(state, "b", pid=7, network=9),
        lambda state: desired.forbid(desired.forbid(state, "a", "b", 22), "b", "a", 80),
    ],
)
def test_where_no_peer_can_be_asked_the_witness_is(two, change):
    state = change(two)
    assert probes._target(state, "a") == (WITNESS.address, 22, "blocked")
    assert probes._origin(state, "a") == (None, 22, "blocked")


def test_a_guest_is_asked_by_the_witness_for_it_can_send_nothing(two):
    state = desired.permit(desired.admit(desired.attach(desired.detach(two, "b"), "vm"), "vm"), "vm", "a", 80)
    assert probes._origin(state, "a") == (None, 22, "blocked")


def test_outside_ports_try_what_is_exposed(two):
    state = desired.attach(
        desired.expose(desired.forbid(two, "b", "a", 80), "a", 22), "x", pid=8, outside="203.0.113.7"
    )
    assert probes._origin(state, "a") == (state.ports["x"], 22, "open")
    assert probes._origin(desired.block(state, "203.0.113.7", 0), "a") == (None, 22, "blocked")


def test_a_connection_that_never_began_is_no_answer():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as never:
        assert not probes._answered(never)


def test_a_refusal_and_a_connection_are_answers():
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = server.getsockname()
        with probes.begin(socket.socket(), where) as open_one:
            server.accept()[0].close()
            assert probes._answered(open_one)
    with probes.begin(socket.socket(), where) as refused:
        assert probes._answered(refused)


def test_an_answer_that_is_expected_is_waited_for_longer():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, contextlib.ExitStack() as stack:
        where = server.getsockname()
        stack.enter_context(socket.create_connection(where, 3))
        # There is no room for more, so the first packet of the next is lost.
        late = stack.enter_context(probes.begin(socket.socket(), where))
        accepting = threading.Timer(0.3, lambda: [server.accept()[0].close() for _ in range(2)])
        accepting.start()
        reached = probes._settle([probes._Try("forensic", "answers", late)])
        accepting.join()
        assert reached == {late.fileno()}


def test_a_guest_is_not_entered(two):
    tap = desired.attach(two, "vm")
    tried = probes._attempt("node-to-peer", "blocked", tap.port("vm"), socket.socket)
    assert str(tried.begun) == "not-tried: its own network cannot be entered from outside"


def test_a_process_that_moved_to_another_network_is_not_believed(two):
    moved = desired.attach(two, "moved", pid=os.getpid(), network=1)
    tried = probes._attempt("node-to-peer", "blocked", moved.port("moved"), socket.socket)
    assert str(tried.begun) == "not-tried: its process is gone"


def test_without_a_witness_nothing_is_said_in_its_place():
    tried = probes._attempt("peer-to-node", "blocked", WITNESS, socket.socket)
    assert str(tried.begun).startswith("not-tried")
