"""An SSH client that sends any user name, as `ssh` itself refuses to: for tests of what an sshd writes about it.

    python -m ringfence.testing.raw_ssh HOST     with {"user": …, "passwords": […]} as JSON on standard input

It speaks just enough (RFC 4252 and 4253: curve25519-sha256, aes128-gcm@openssh.com) to have a password refused, and
does not verify whom it speaks to. It prints how many attempts were refused.
"""

import hashlib
import json
import os
import socket
import struct
import sys
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

OURS = b"SSH-2.0-probe"
CIPHER = b"aes128-gcm@openssh.com"
HOST_KEYS = b"ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256"
LONGEST = 2**18
DISCONNECT, IGNORE, DEBUG, SERVICE_REQUEST, SERVICE_ACCEPT, EXT_INFO = 1, 2, 4, 5, 6, 7
KEXINIT, NEWKEYS, ECDH_INIT, ECDH_REPLY = 20, 21, 30, 31
USERAUTH_REQUEST, USERAUTH_FAILURE, BANNER = 50, 51, 53


def string(data: bytes) -> bytes:
    """Return a string as SSH writes it."""
    return struct.pack(">I", len(data)) + data


def strings(data: bytes) -> list[bytes]:
    """Return the strings that follow one another."""
    found = []
    while data:
        size = struct.unpack(">I", data[:4])[0]
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    return found


def mpint(data: bytes) -> bytes:
    """Return a positive number as SSH writes it."""
    shown = data.lstrip(b"\0")
    return string(b"\0" + shown if shown[:1] >= b"\x80" else shown)


class Half:
    """One direction of a connection, before and after its keys."""

    def __init__(self) -> None:
        self._cipher: AESGCM | None = None
        self._fixed, self._count = b"", 0

    def use(self, key: bytes, nonce: bytes) -> None:
        """Encrypt from now on."""
        self._cipher, self._fixed, self._count = AESGCM(key), nonce[:4], int.from_bytes(nonce[4:12], "big")

    def sealed(self, payload: bytes) -> bytes:
        """Return a packet."""
        size = 16 if self._cipher else 8
        counted = 1 + len(payload) + (0 if self._cipher else 4)
        padding = size - counted % size
        padding += size if padding < 4 else 0
        body = bytes([padding]) + payload + os.urandom(padding)
        length = struct.pack(">I", len(body))
        return length + (self._cipher.encrypt(self._nonce(), body, length) if self._cipher else body)

    def opened(self, length: bytes, body: bytes) -> bytes:
        """Return the payload of a packet."""
        plain = self._cipher.decrypt(self._nonce(), body, length) if self._cipher else body
        return plain[1 : len(plain) - plain[0]]

    @property
    def tag(self) -> int:
        """Return how many bytes follow the counted ones."""
        return 16 if self._cipher else 0

    def _nonce(self) -> bytes:
        nonce = self._fixed + self._count.to_bytes(8, "big")
        self._count += 1
        return nonce


class Connection:
    """A connection whose keys are agreed on."""

    def __init__(self, host: str, port: int = 22) -> None:
        self._socket = socket.create_connection((host, port), 10)
        self._file = self._socket.makefile("rb")
        self._sending, self._receiving = Half(), Half()
        self._agree()

    def send(self, payload: bytes) -> None:
        """Send a message."""
        self._socket.sendall(self._sending.sealed(payload))

    def receive(self, *wanted: int) -> bytes:
        """Return the next message of a wanted kind; nothing where the other side ends first."""
        while True:
            length = self._file.read(4)
            size = int.from_bytes(length, "big") + self._receiving.tag if len(length) == 4 else 0
            body = self._file.read(size) if 0 < size < LONGEST else b""
            if not body:
                return b""
            message = self._receiving.opened(length, body)
            if message[0] in wanted:
                return message
            if message[0] == DISCONNECT:
                return b""

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()

    def _agree(self) -> None:
        self._socket.sendall(OURS + b"\r\n")
        theirs = self._file.readline().rstrip(b"\r\n")
        lists = [b"curve25519-sha256", HOST_KEYS, CIPHER, CIPHER, *[b"hmac-sha2-256"] * 2, *[b"none"] * 2, b"", b""]
        ours = bytes([KEXINIT]) + os.urandom(16) + b"".join(map(string, lists)) + bytes(5)
        self.send(ours)
        offered = self.receive(KEXINIT)
        secret = X25519PrivateKey.generate()
        public = secret.public_key().public_bytes_raw()
        self.send(bytes([ECDH_INIT]) + string(public))
        host_key, answer, _signature = strings(self.receive(ECDH_REPLY)[1:])
        shared = mpint(secret.exchange(X25519PublicKey.from_public_bytes(answer)))
        said = b"".join(map(string, (OURS, theirs, ours, offered, host_key, public, answer)))
        session = hashlib.sha256(said + shared).digest()
        self.send(bytes([NEWKEYS]))
        self.receive(NEWKEYS)
        keys = {
            letter: hashlib.sha256(shared + session + letter + session).digest() for letter in (b"A", b"B", b"C", b"D")
        }
        self._sending.use(keys[b"C"][:16], keys[b"A"][:12])
        self._receiving.use(keys[b"D"][:16], keys[b"B"][:12])


def refused(host: str, user: str, passwords: list[str]) -> int:
    """Try passwords one after the other, a connection each, until nobody answers; return how many were refused."""
    count = 0
    with suppress(OSError, ValueError, struct.error):  # whoever guesses is blocked at some time
        for password in passwords:
            count += _is_refused(host, user, password)
    return count


def _is_refused(host: str, user: str, password: str) -> bool:
    connection = Connection(host)
    connection.send(bytes([SERVICE_REQUEST]) + string(b"ssh-userauth"))
    connection.receive(SERVICE_ACCEPT)
    fields = map(string, (user.encode(), b"ssh-connection", b"password"))
    connection.send(bytes([USERAUTH_REQUEST]) + b"".join(fields) + b"\0" + string(password.encode()))
    answer = connection.receive(USERAUTH_FAILURE)
    connection.close()
    return bool(answer)


def main() -> None:
    """Read what to try from standard input."""
    wanted = json.load(sys.stdin)
    sys.stdout.write(f"{refused(sys.argv[1], wanted['user'], wanted['passwords'])}\n")


if __name__ == "__main__":
    main()
