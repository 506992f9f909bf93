"""The cut inside a machine of one's own: one nftables table of ours, before all others; pure.

A drop is final wherever it happens, an acceptance is not: the machine's own rules still decide about our SSH, and
nothing that they accept passes us. Only this table is ever written, so the state before the cut is what is left when
the table is deleted. What nftables' `inet` hooks do not see, this does not stop: packet sockets of root, XDP, and flows
that the machine forwards by a flow table. Root there can delete the table.

Loopback stays open: no way leads out of the machine through it, and programs that lose their own database write over
the evidence.
"""

import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterator

from ringfence.kernel.errors import VerificationFailed

TABLE = "ringfence_quarantine"
FAMILY = "inet"
PRIORITY = -400  # before raw (-300) and conntrack (-200)
HEAD = f"table {FAMILY} {TABLE} {{"
_SET = re.compile(r"^\t(?:set|map) ", re.MULTILINE), "\n\t}\n"
_VOLATILE = re.compile(r"^\t\tflags .*\b(?:dynamic|timeout)\b", re.MULTILINE)
_ELEMENTS = re.compile(r"^\t\telements = \{", re.MULTILINE), "}\n"
_OURS = re.compile(rf"^{re.escape(HEAD)}$", re.MULTILINE), "\n}\n"

Block = tuple[re.Pattern[str], str]  # how it begins, and how it ends
Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


def connection(text: str) -> tuple[Ip, int]:
    """Return the controller's address and the port of sshd, as `SSH_CONNECTION` on the machine tells them."""
    words = text.split()
    address = _address(words[0]) if len(words) == 4 else None
    if address is None or not all(_is_port(words[place]) for place in (1, 3)):
        raise VerificationFailed("the machine does not say from where it sees us (SSH_CONNECTION)")
    return address, int(words[3])


def _address(text: str) -> Ip | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_port(text: str) -> bool:
    return len(text) <= 5 and text.isascii() and text.isdecimal() and 0 < int(text) < 65_536


def ruleset(controller: Ip, port: int) -> str:
    """Return what `nft -f -` loads at one stroke: the table, made anew.

    Answers of sshd may go out to the controller; a connection that begins there may not, whatever port it comes from.
    Neighbour discovery is let through only where the controller is reached by IPv6, which needs it.
    """
    ip = "ip" if controller.version == 4 else "ip6"
    near = "" if controller.version == 4 else "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n"
    return f"""\
table {FAMILY} {TABLE}
delete table {FAMILY} {TABLE}
table {FAMILY} {TABLE} {{
chain in {{
type filter hook input priority {PRIORITY}; policy drop;
iif "lo" accept
{near}{ip} saddr {controller} tcp dport {port} accept
counter drop
}}
chain out {{
type filter hook output priority {PRIORITY}; policy drop;
oif "lo" accept
{near}{ip} daddr {controller} tcp sport {port} tcp flags & (syn | ack) != syn accept
counter drop
}}
chain forward {{
type filter hook forward priority {PRIORITY}; policy drop;
counter drop
}}
}}
"""


REMOVAL = f"table {FAMILY} {TABLE}\ndelete table {FAMILY} {TABLE}\n"


def holds(listing: str) -> bool:
    """Return whether a listing has our table with its three chains, each of which drops by itself."""
    listing += "\n"
    ours = next((listing[start:stop] for start, stop in _blocks(listing, _OURS)), "")
    return all(f"hook {hook} priority {PRIORITY}; policy drop;" in ours for hook in ("input", "output", "forward"))


def rest(listing: str) -> str:
    """Return a listing (`nft -s list ruleset`: no counters) without our table, and without what comes and goes.

    Elements of sets that are filled by packets or by time, as ban lists are, change without anybody changing a rule.
    """
    return _changed(_changed(listing + "\n", _OURS, lambda _: ""), _SET, _lasting).strip() + "\n"


def _lasting(found: str) -> str:
    if not _VOLATILE.search(found):
        return found
    return _changed(found.removesuffix("\t}\n"), _ELEMENTS, lambda _: "") + "\t}\n"


def _changed(listing: str, block: Block, change: Callable[[str], str]) -> str:
    parts, place = [], 0
    for start, stop in _blocks(listing, block):
        parts += [listing[place:start], change(listing[start:stop])]
        place = stop
    return "".join([*parts, listing[place:]])


def _blocks(listing: str, block: Block) -> Iterator[tuple[int, int]]:
    """Give where blocks begin and end; behind one without an end there is none, so that a listing is read once."""
    (begin, end), place = block, 0
    while (found := begin.search(listing, place)) and (last := listing.find(end, found.end())) >= 0:
        place = last + len(end)
        yield found.start(), place


def digest(listing: str) -> str:
    """Return the SHA-256 of the rules that are not ours."""
    return hashlib.sha256(rest(listing).encode()).hexdigest()
