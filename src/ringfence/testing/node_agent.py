"""What runs inside a lab node: root in its own network namespace, told by JSON lines what to do and whom to attack.

Only ever started inside a network namespace that a test made: `python -I -m ringfence.testing.node_agent`.
"""

import contextlib
import json
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

MARKER = b"RINGFENCE-LAB-BREAKOUT"
_ALL = 0x0003
_PACE = 0.004


def _checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    words: tuple[int, ...] = struct.unpack(f"!{len(data) // 2}H", data)
    total = sum(words)
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _ip(source: str, target: str, protocol: int, payload: bytes, *, fragment: int = 0, options: bytes = b"") -> bytes:
    words = 5 + len(options) // 4
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack("!BBHHHBBH", 0x40 | words, 0, words * 4 + len(payload), 77, fragment, 64, protocol, 0)
    return head[:10] + struct.pack("!H", _checksum(head + ends + options)) + ends + options + payload


def _tcp(source: str, target: str, ports: tuple[int, int], flags: int) -> bytes:
    head = struct.pack("!HHIIBBHHH", *ports, 1000, 2000, 0x50, flags, 65535, 0, 0) + MARKER
    pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!BBH", 0, 6, len(head))
    return head[:16] + struct.pack("!H", _checksum(pseudo + head)) + head[18:]


def _udp(ports: tuple[int, int]) -> bytes:
    return struct.pack("!HHHH", *ports, 8 + len(MARKER), 0) + MARKER


def _icmp(kind: int, code: int, rest: bytes) -> bytes:
    head = struct.pack("!BBH", kind, code, 0) + rest
    return head[:2] + struct.pack("!H", _checksum(head)) + head[4:]


def _own_mac() -> bytes:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as ask:
        ask.bind(("eth0", 0))
        return bytes(ask.getsockname()[4])


def _gateway_mac(gateway: str) -> bytes:
    """Return what the kernel learnt, or everybody: a frame to everybody comes in as well."""
    for line in Path("/proc/self/net/arp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[0] == gateway and fields[3] != "00:00:00:00:00:00":
            return bytes.fromhex(fields[3].replace(":", ""))
    return b"\xff" * 6


class Agent:
    """One node."""

    def __init__(self) -> None:
        self.streams: dict[str, dict[str, Any]] = {}
        self.captured: list[dict[str, Any]] = []
        self.stop = threading.Event()

    def run(self, work: Any, *arguments: Any) -> None:
        """Do something beside."""
        threading.Thread(target=work, args=arguments, daemon=True).start()

    # Peaceful things

    def serve(self, port: int) -> dict[str, Any]:
        """Echo on a TCP port."""
        listener = socket.create_server(("0.0.0.0", port), backlog=64)  # noqa: S104 -- inside its own namespace
        self.run(self._accept, listener)
        return {}

    def _accept(self, listener: socket.socket) -> None:
        while True:
            self.run(self._echo, listener.accept()[0])

    def _echo(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(4096):
                connection.sendall(data)

    def reach(self, target: str, port: int, seconds: float = 0.4) -> dict[str, Any]:
        """Try to connect; a refusal is an answer too."""
        try:
            with socket.create_connection((target, port), seconds) as connection:
                connection.settimeout(seconds)
                connection.sendall(b"hello")
                return {"open": connection.recv(5) == b"hello"}
        except ConnectionRefusedError:
            return {"open": True}
        except OSError:
            return {"open": False}

    def stream(self, name: str, target: str, port: int) -> dict[str, Any]:
        """Open a connection and keep a numbered dialogue on it, for as long as it lives."""
        connection = socket.create_connection((target, port), 3)
        connection.settimeout(30)
        self.streams[name] = {"sent": 0, "back": 0, "error": "", "source": connection.getsockname()[1]}
        self.run(self._talk, self.streams[name], connection)
        return {"source": connection.getsockname()[1]}

    def _talk(self, state: dict[str, Any], connection: socket.socket) -> None:
        try:
            while not self.stop.is_set():
                line = struct.pack("!I", state["sent"]) + b"peaceful words"
                connection.sendall(line)
                state["sent"] += 1
                if connection.recv(len(line), socket.MSG_WAITALL) != line:
                    state["error"] = "another answer"
                state["back"] += 1
                time.sleep(_PACE)
        except OSError as error:
            state["error"] = str(error)

    def ping(self, name: str, target: str) -> dict[str, Any]:
        """Ping on and on."""
        self.streams[name] = {"sent": 0, "back": 0, "error": ""}
        self.run(self._ping, self.streams[name], target)
        return {}

    def _ping(self, state: dict[str, Any], target: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
            raw.settimeout(1)
            while not self.stop.is_set():
                state["sent"] += 1
                raw.sendto(_icmp(8, 0, struct.pack("!HH", 9, state["sent"] % 65536) + b"peaceful"), (target, 0))
                try:
                    state["back"] += self._echoed(raw, target)
                except OSError as error:
                    state["error"] = str(error)
                time.sleep(_PACE)

    def _echoed(self, raw: socket.socket, target: str) -> int:
        """Wait for a reply of this target: the socket is given those of every other ping of the node as well."""
        while not self.stop.is_set():
            data, (source, _) = raw.recvfrom(200)
            if data[20] == 0 and source == target:
                return 1
        return 0

    def status(self, name: str) -> dict[str, Any]:
        """Return how a stream or a ping is doing."""
        return self.streams[name]

    # What arrives

    def capture(self) -> dict[str, Any]:
        """Watch every frame that comes in from now on."""
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL))
        raw.bind(("eth0", _ALL))
        self.run(self._watch, raw)
        return {}

    def _watch(self, raw: socket.socket) -> None:
        while True:
            frame, (_, ethertype, kind, _, _) = raw.recvfrom(2048)
            if kind == socket.PACKET_OUTGOING:
                continue
            source = socket.inet_ntoa(frame[26:30]) if ethertype == 0x0800 else ""
            self.captured.append({"type": ethertype, "source": source, "marked": MARKER in frame})

    def frames(self) -> dict[str, Any]:
        """Return what was seen since the last time."""
        seen, self.captured = self.captured, []
        return {"frames": seen}

    # Attacks: root on the node, with the interface in its hands

    def attack(self, own: str, gateway: str, peer: str, spoofs: list[str], ports: list[int]) -> dict[str, Any]:
        """Send everything that might get a packet to a peer."""
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind(("eth0", 0))
            sent = 0
            for frame in self._frames(own, gateway, peer, spoofs, (ports[0], ports[1])):
                with contextlib.suppress(OSError):
                    raw.send(frame)
                    sent += 1
        return {"sent": sent}

    def _frames(self, own: str, gateway: str, peer: str, spoofs: list[str], ports: tuple[int, int]) -> list[bytes]:
        theirs, ours, everybody = _gateway_mac(gateway), _own_mac(), b"\xff" * 6
        packets = self._packets(own, gateway, peer, spoofs, ports)
        plain = b"\x08\x00"
        frames = [theirs + ours + plain + packet for packet in packets]
        frames += [theirs + bytes.fromhex("020000000099") + plain + packet for packet in packets[:4]]  # spoofed MAC
        frames += [everybody + ours + plain + packet for packet in packets[:4]]
        for tag in ("8100" + "0005", "8100" + "0000", "88a8" + "0005" + "8100" + "0006", "8847" + "00010140"):
            frames += [theirs + ours + bytes.fromhex(tag) + plain + packet for packet in packets[:4]]
        six = struct.pack("!IHBB", 6 << 28, 8 + len(MARKER), 17, 64)
        link = bytes.fromhex("fe80" + "00" * 13 + "01")
        for target in (
            bytes.fromhex("ff02" + "00" * 13 + "01"),
            link,
            b"\0" * 10 + b"\xff\xff" + socket.inet_aton(peer),
        ):
            frames += [mac + ours + b"\x86\xdd" + six + link + target + _udp(ports) for mac in (theirs, everybody)]
        return frames + [
            everybody + ours + b"\x08\x06" + self._arp(operation, ours, claimed, asked)
            for operation in (1, 2)
            for claimed in (own, peer, *spoofs)
            for asked in (peer, gateway, *spoofs)
        ]

    def _arp(self, operation: int, mac: bytes, claimed: str, asked: str) -> bytes:
        head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
        return head + mac + socket.inet_aton(claimed) + bytes(6) + socket.inet_aton(asked) + MARKER

    def _packets(self, own: str, gateway: str, peer: str, spoofs: list[str], ports: tuple[int, int]) -> list[bytes]:
        here, service = ports
        packets = []
        for source in (own, *spoofs):
            for flags in (0x02, 0x10, 0x18, 0x12, 0x04):  # open, acknowledge, data, answer, reset
                packets += [
                    _ip(source, peer, 6, _tcp(source, peer, pair, flags)) for pair in (ports, (service, here), (22, 22))
                ]
            packets += [
                _ip(source, peer, 17, _udp((53, 53))),
                _ip(source, peer, 1, _icmp(8, 0, bytes(4) + MARKER)),
                _ip(source, peer, 1, _icmp(0, 0, bytes(4) + MARKER)),
            ]
        wide = ("255.255.255.255", "224.0.0.1", peer.rpartition(".")[0] + ".255", peer.rpartition(".")[0] + ".3")
        packets += [_ip(own, target, 17, _udp((68, 67))) for target in wide]
        inner = _ip(own, peer, 17, _udp((53, 53)))
        segment = _tcp(own, peer, ports, 0x18)
        packets += [
            _ip(own, peer, 6, segment[:16], fragment=0x2000),
            _ip(own, peer, 6, segment[16:] + MARKER, fragment=2),
            _ip(own, peer, 17, MARKER, fragment=1),
            _ip(own, gateway, 4, inner),  # IP in IP
            _ip(own, gateway, 47, b"\0\0\x08\0" + inner),  # GRE
            _ip(
                own, gateway, 17, _udp(ports), options=b"\x83\x07\x04" + socket.inet_aton(peer) + b"\0"
            ),  # source route
            _ip(own, gateway, 1, _icmp(5, 1, socket.inet_aton(own) + inner)),  # redirect
            _ip(own, peer, 1, _icmp(3, 3, bytes(4) + inner)),  # error about a packet that is under way
            _ip(own, peer, 253, MARKER),
        ]
        return packets


def main() -> None:
    """Do what standard input says, one line at a time."""
    agent = Agent()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = getattr(agent, asked.pop("do"))(**asked)
        except OSError as error:
            answer = {"failed": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
