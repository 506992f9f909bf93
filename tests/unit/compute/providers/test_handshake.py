import socket
import struct
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.compute.providers import handshake, sshd
from ringfence.kernel.errors import VerificationFailed

KEY = sshd.new_host_key().public


def answered(data):
    """Ask somebody who says exactly this, whatever is asked."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        return handshake.verify_host(ours, KEY)


def packet(payload):
    return struct.pack(">IB", len(payload) + 5, 4) + payload + bytes(4)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"x" * 100_000,
        b"hello\r\n" * 100,
        b"SSH-2.0-x\r\n",
        b"SSH-2.0-x\r\n" + struct.pack(">I", 2**31),
        b"SSH-2.0-x\r\n" + packet(b"\x01bye"),
        b"SSH-2.0-x\r\n" + packet(b"\x02ignored") * 20,
        b"SSH-2.0-x\r\n" + packet(b"\x14" + bytes(30)) + packet(b"\x1f" + struct.pack(">I", 99)),
    ],
)
def test_what_is_no_ssh_server_proves_nothing(data):
    with pytest.raises(VerificationFailed):
        answered(data)


@given(st.binary(max_size=300))
def test_no_answer_is_another_error(data):
    with pytest.raises(VerificationFailed):
        answered(b"SSH-2.0-x\r\n" + data)


@given(st.binary(max_size=100), st.binary(max_size=100), st.binary(max_size=100))
def test_a_shown_key_without_its_signature_is_no_proof(point, signature, tail):
    key = handshake._blob(KEY)
    reply = b"\x1f" + b"".join(handshake._string(part) for part in (key, point, signature)) + tail
    with pytest.raises(VerificationFailed):
        answered(b"SSH-2.0-x\r\n" + packet(b"\x14") + packet(reply))


def test_a_server_that_says_nothing_is_not_waited_for():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0.05)
        with pytest.raises(VerificationFailed, match="does not answer"):
            handshake.verify_host(ours, KEY)


def test_a_server_that_says_a_little_all_the_time_is_not_waited_for():
    ours, theirs = socket.socketpair()
    enough = threading.Event()

    def drip():
        while not enough.wait(0.02):
            theirs.send(b"x")

    dripping = threading.Thread(target=drip)
    with ours, theirs:
        ours.settimeout(0.1)
        dripping.start()
        with pytest.raises(VerificationFailed, match="does not answer"):
            handshake.verify_host(ours, KEY)
        enough.set()
        dripping.join(5)


@pytest.mark.parametrize("line", ["", "ssh-ed25519", "ssh-rsa AAAA", "ssh-ed25519 %%%"])
def test_the_known_key_must_be_one(line):
    with pytest.raises(VerificationFailed, match="that is known"):
        handshake._blob(line)
