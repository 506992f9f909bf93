import socket

from ringfence.fabric import netfilter


def test_events_are_forgotten_all_at_once():
    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, kernel:
        ours.settimeout(0)
        for _ in range(5):
            kernel.send(b"something changed")
        assert netfilter.drain(ours)
        assert not netfilter.drain(ours)
        kernel.send(b"again")
        assert ours.recv(10) == b"again"
