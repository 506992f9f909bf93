"""Ethernet frames as a node would send them, and what an answer to one looks like."""

import ipaddress
import struct
from dataclasses import dataclass

ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
REQUEST, REPLY = 1, 2
TCP, TCP_SYN, TCP_PUSH_ACK = 6, 0x02, 0x18
BROADCAST = b"\xff" * 6
NODE = bytes.fromhex("525400123456")  # the first card of a machine has this address
LIFETIME = 64
ETHERNET = 14


@dataclass(frozen=True, slots=True)
class Path:
    """One TCP attempt from the node: its source port tells the answers apart."""

    source: str
    target: str
    port: int
    source_port: int
    flags: int = TCP_SYN


def who_has(asking: str, wanted: str) -> bytes:
    """Return an ARP question."""
    addresses = NODE + _packed(asking) + bytes(6) + _packed(wanted)
    return BROADCAST + NODE + struct.pack(">HHHBBH", ARP, 1, IPV4, 6, 4, REQUEST) + addresses


def answered_by(frame: bytes, wanted: str) -> bytes:
    """Return the hardware address that an ARP answer gives for `wanted`; empty where the frame is none."""
    head = struct.pack(">HHHBBH", ARP, 1, IPV4, 6, 4, REPLY)
    found = frame[12:22] == head and frame[28:32] == _packed(wanted)
    return frame[22:28] if found else b""


def segment(path: Path, gateway: bytes) -> bytes:
    """Return a TCP segment without content that is addressed to the gateway's hardware."""
    source, target = _packed(path.source), _packed(path.target)
    plain = struct.pack(">HHIIBBHHH", path.source_port, path.port, 1, 1, 5 << 4, path.flags, 64240, 0, 0)
    six = len(source) == ipaddress.IPV6LENGTH // 8
    pseudo = source + target + struct.pack(">II" if six else ">HH", *((len(plain), TCP) if six else (TCP, len(plain))))
    tcp = plain[:16] + struct.pack(">H", checksum(pseudo + plain)) + plain[18:]
    kind, head = (IPV6, _head6(source, target, len(tcp))) if six else (IPV4, _head4(source, target, len(tcp)))
    return gateway + NODE + struct.pack(">H", kind) + head + tcp


def answers(frame: bytes, path: Path) -> bool:
    """Return whether a frame is the target's TCP answer, of any kind, to an attempt."""
    source, target = _packed(path.source), _packed(path.target)
    if frame[12:14] == struct.pack(">H", IPV6):
        # Whoever looks for the neighbour that asked was reached as well.
        return len(source) == ipaddress.IPV6LENGTH // 8 and frame[22:38] == target
    start = ETHERNET + (frame[ETHERNET] & 0x0F) * 4 if len(frame) > ETHERNET else 0
    ports = struct.pack(">HH", path.port, path.source_port)
    addressed = frame[26:30] == target and frame[30:34] == source
    kinds = frame[12:14] == struct.pack(">H", IPV4) and frame[23:24] == bytes([TCP])
    return kinds and addressed and frame[start : start + 4] == ports


def checksum(data: bytes) -> int:
    """Return the ones' complement sum of RFC 1071."""
    padded = data + bytes(len(data) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def link_local(hardware: bytes) -> str:
    """Return the IPv6 address that a card has on its own cable, if it speaks IPv6."""
    middle = bytes([hardware[0] ^ 2]) + hardware[1:3] + b"\xff\xfe" + hardware[3:]
    return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + middle))


def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def _head4(source: bytes, target: bytes, length: int) -> bytes:
    plain = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, LIFETIME, TCP, 0) + source + target
    return plain[:10] + struct.pack(">H", checksum(plain)) + plain[12:]


def _head6(source: bytes, target: bytes, length: int) -> bytes:
    return struct.pack(">IHBB", 6 << 28, length, TCP, LIFETIME) + source + target
