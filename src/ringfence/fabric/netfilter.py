"""The kernel's ruleset: load a script, notice every change by anybody, read the flow records."""

import errno
import json
import socket
import struct

from ringfence.fabric import tools
from ringfence.fabric.ruleset import FLOW_SETS
from ringfence.kernel.errors import Unavailable

_NETLINK_NETFILTER = 12
_SOL_NETLINK, _ADD_MEMBERSHIP = 270, 1
RULESET, ROUTING_RULES = (_NETLINK_NETFILTER, 7), (socket.NETLINK_ROUTE, 8)  # a family and its group
_GET_GENERATION = (10 << 8) | 16
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTES = _HEADER.size + 4


def load(script: str) -> None:
    """Apply a script in one transaction: all of it, or nothing."""
    tools.run("nft", "-f", "-", stdin=script)


def generation() -> int:
    """Return the number of the ruleset: it rises by one with every transaction, whoever made it."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as kernel:
        kernel.settimeout(2)
        kernel.send(_HEADER.pack(_ATTRIBUTES, _GET_GENERATION, 1, 1, 0) + bytes(4))
        reply = kernel.recv(8192)
    size, kind = struct.unpack_from("=HH", reply, _ATTRIBUTES)
    if (size, kind) != (8, 1):
        raise Unavailable("the kernel does not number its rulesets")
    return int(struct.unpack_from(">I", reply, _ATTRIBUTES + 4)[0])


def changes(of: tuple[int, int]) -> socket.socket:
    """Return a socket that becomes readable when anybody changes the ruleset, or the routing rules."""
    family, group = of
    events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, family)
    events.bind((0, 0))
    events.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
    events.settimeout(0)
    return events


def drain(events: socket.socket) -> bool:
    """Forget the messages and return whether there were any: an overflow says the same as they do."""
    some = False
    while True:
        try:
            events.recv(1 << 16)
        except BlockingIOError:
            return some
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
        some = True


def flows() -> list[list[object]]:
    """Return rows of interface, source, target, protocol, port, packets, bytes, verdict."""
    rows: list[list[object]] = []
    for name in FLOW_SETS:
        listed = json.loads(tools.run("nft", "-j", "list", "set", "ip", "ringfence", name))
        for item in listed["nftables"]:
            for wrapped in item.get("set", {}).get("elem", ()):
                counted = wrapped["elem"]["counter"]
                rows.append([*wrapped["elem"]["val"]["concat"], counted["packets"], counted["bytes"], name])
    return rows
