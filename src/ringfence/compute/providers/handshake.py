"""Ask an SSH server to prove that it holds its host key: the first half of a key exchange, then good-bye.

A banner says nothing about who answers. This runs curve25519-sha256 (RFC 8731) as far as the server's signature over
the exchange (RFC 4253 section 8) and logs nobody in; it takes a few milliseconds, where a client process takes a
hundred.
"""

import hashlib
import os
import socket
import struct
import time
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from ringfence.compute import sshkeys
from ringfence.kernel.errors import MalformedInput, VerificationFailed

SECONDS = 5.0  # where the connection has no timeout of its own
BANNER = b"SSH-2.0-Ringfence"
KEXINIT, ECDH_INIT, ECDH_REPLY, DISCONNECT = 20, 30, 31, 1
PASSED_OVER = {2, 4}  # ignore, debug
LONGEST_LINE, MOST_LINES, LARGEST_PACKET, MOST_PACKETS = 255, 20, 35_000, 8
HOST_KEY_KIND = b"ssh-ed25519"
ALGORITHMS = (
    b"curve25519-sha256", HOST_KEY_KIND, b"aes256-ctr", b"aes256-ctr",
    b"hmac-sha2-256", b"hmac-sha2-256", b"none", b"none", b"", b"",
)  # fmt: skip


def verify_host(connection: socket.socket, host_key: str) -> str:
    """Return the host key once the server has proved that it holds it, all within the connection's timeout.

    Raises:
        VerificationFailed: it does not speak SSH, shows another key, or cannot sign with this one.
    """
    try:
        seconds = connection.gettimeout() or SECONDS
        return _verified(_Wire(connection, time.monotonic() + seconds), host_key)
    except (OSError, EOFError, struct.error) as error:
        raise VerificationFailed(f"the node's SSH does not answer: {error}") from error


def _verified(wire: "_Wire", host_key: str) -> str:
    theirs = wire.banners()
    ours_init = _kexinit()
    wire.send(ours_init)
    their_init = wire.receive(KEXINIT)
    private = X25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    wire.send(bytes([ECDH_INIT]) + _string(public))
    key, point, signature = _strings(wire.receive(ECDH_REPLY)[1:], 3)
    wire.send(bytes([DISCONNECT]) + struct.pack(">I", 11) + _string(b"") * 2)  # 11: by application
    if key != _blob(host_key):
        raise VerificationFailed("the node's SSH shows another host key than the one that was made for it")
    secret = _shared(private, point)
    parts = [_string(part) for part in (BANNER, theirs, ours_init, their_init, key, public, point)]
    _verify(key, signature, hashlib.sha256(b"".join(parts) + _mpint(secret)).digest())
    return host_key


def _shared(private: X25519PrivateKey, point: bytes) -> bytes:
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(point))
    except ValueError as error:
        raise VerificationFailed("the node's SSH sent no point of the curve") from error


def _verify(key: bytes, signature: bytes, digest: bytes) -> None:
    try:
        kind, signed = _strings(signature, 2)
        if kind != HOST_KEY_KIND:
            raise VerificationFailed("the node's SSH signs with another algorithm than Ed25519")
        Ed25519PublicKey.from_public_bytes(_strings(key, 2)[1]).verify(signed, digest)
    except (InvalidSignature, ValueError) as error:
        raise VerificationFailed("the node's SSH does not hold the host key that it shows") from error


@dataclass(frozen=True, slots=True)
class _Wire:
    """Unencrypted packets of RFC 4253."""

    connection: socket.socket
    deadline: float  # for all of it: who sends a byte now and then must not keep us

    def banners(self) -> bytes:
        """Exchange identification lines; return theirs."""
        self.connection.sendall(BANNER + b"\r\n")
        for _ in range(MOST_LINES):
            line = self._line()
            if line.startswith(b"SSH-2.0-"):
                return line
        raise VerificationFailed("what answers on the node's port is not SSH")

    def _line(self) -> bytes:
        line = bytearray()
        while len(line) <= LONGEST_LINE:
            byte = self._exactly(1)
            if byte == b"\n":
                return bytes(line).removesuffix(b"\r")
            line += byte
        raise VerificationFailed("what answers on the node's port is not SSH")

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            self.connection.settimeout(max(0.001, self.deadline - time.monotonic()))
            piece = self.connection.recv(size - len(data))
            if not piece:
                raise EOFError("the connection was closed")
            data += piece
        return data

    def send(self, payload: bytes) -> None:
        """Send one packet."""
        padding = 8 - (len(payload) + 5) % 8
        padding += 8 if padding < 4 else 0
        self.connection.sendall(struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding))

    def receive(self, kind: int) -> bytes:
        """Return the next packet of one kind."""
        for _ in range(MOST_PACKETS):
            (size,) = struct.unpack(">I", self._exactly(4))
            if not 5 <= size <= LARGEST_PACKET:
                raise VerificationFailed("the node's SSH sends a packet of an impossible size")
            packet = self._exactly(size)
            payload = packet[1 : size - packet[0]]
            if payload[:1] == bytes([kind]):
                return payload
            if payload[:1] == b"" or payload[0] not in PASSED_OVER:
                break
        raise VerificationFailed("the node's SSH does not go on with the key exchange")


def _kexinit() -> bytes:
    lists = b"".join(_string(names) for names in ALGORITHMS)
    return bytes([KEXINIT]) + os.urandom(16) + lists + bytes(5)


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _mpint(data: bytes) -> bytes:
    data = data.lstrip(b"\0")
    return _string(b"\0" + data if data and data[0] & 0x80 else data)


def _strings(data: bytes, count: int) -> list[bytes]:
    found = []
    for _ in range(count):
        (size,) = struct.unpack(">I", data[:4])
        if size > len(data) - 4:
            raise VerificationFailed("the node's SSH sends a packet that does not parse")
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    return found


def _blob(line: str) -> bytes:
    try:
        return sshkeys.blob(line)
    except MalformedInput as error:
        raise VerificationFailed("the host key that is known of the node is not an Ed25519 key") from error
