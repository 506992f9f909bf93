"""The nft ruleset of a state. Pure. Chains never change; what a verb changes are elements of sets.

Prerouting decides by *marking*; routing works for marked packets only (`links.prepare`). Each packet is judged anew: a
reply passes because its connection is permitted, and only while both ends are admitted; connection tracking alone lets
nothing through.
"""

from ringfence.fabric.desired import CONTROL, FORENSIC, WITNESS, Desired

MARK = 1
_LINK = "type ifname . ipv4_addr;"
_PAIR = "type ipv4_addr . ipv4_addr;"
_SETS = {
    ("ip", "admitted"): _LINK,  # the cut takes a node out of these two
    ("ip", "reachable"): "type ipv4_addr;",
    ("ip", "attached"): _LINK,
    ("ip", "standing"): "type ipv4_addr;",
    ("ip", "outside"): _LINK,
    ("ip", "strangers"): "type ipv4_addr;",
    ("ip", "permits"): "type ipv4_addr . ipv4_addr . inet_service;",
    ("ip", "pairs"): _PAIR,
    ("ip", "exposes"): "type ipv4_addr . inet_service;",
    ("ip", "blocked"): "type ipv4_addr;",
    ("arp", "known"): _LINK,
}
FLOW_SETS = ("accepted", "denied")
_FLOWS = (
    "type ifname . ipv4_addr . ipv4_addr . inet_proto . inet_service; "
    "size 4096; flags dynamic,timeout; timeout 15m; counter;"
)
_KEY = "iifname . ip saddr . ip daddr . meta l4proto"
_NEW = "ct state new,established ct direction original"
_REPLY = "ct state established ct direction reply"

_CHAINS = f"""
    chain pass_request {{
        update @accepted {{ {_KEY} . th dport }}
        meta mark set {MARK} accept
    }}
    chain pass_reply {{
        update @accepted {{ {_KEY} . th sport }}
        meta mark set {MARK} accept
    }}
    chain refuse {{
        meta l4proto {{ tcp, udp }} update @denied {{ {_KEY} . th dport }} drop
        update @denied {{ {_KEY} . 0 }} drop
    }}
    chain first {{
        type filter hook prerouting priority raw; policy accept;
        meta mark set 0
        iifname . ip saddr @outside ip saddr @blocked goto refuse
    }}
    chain marking {{
        type filter hook prerouting priority mangle; policy drop;
        iifname . ip saddr @attached ip daddr {FORENSIC} tcp sport 22 {_REPLY} goto pass_reply
        iifname . ip saddr @admitted ip daddr {CONTROL} meta l4proto tcp {_REPLY} goto pass_reply
        iifname . ip saddr @admitted ip daddr @reachable jump between
        iifname . ip saddr @admitted ip daddr @strangers ip saddr . tcp sport @exposes {_REPLY} goto pass_reply
        iifname . ip saddr @outside ip daddr @reachable ip daddr . tcp dport @exposes {_NEW} goto pass_request
        goto refuse
    }}
    chain between {{
        ip saddr . ip daddr . tcp dport @permits {_NEW} goto pass_request
        ip daddr . ip saddr . tcp sport @permits {_REPLY} goto pass_reply
        ip saddr . ip daddr @pairs icmp type echo-request meta mark set {MARK} accept
        ip daddr . ip saddr @pairs icmp type echo-reply {_REPLY} meta mark set {MARK} accept
    }}
    chain onward {{
        type filter hook forward priority filter; policy drop;
        meta mark {MARK} accept
    }}
    chain arriving {{
        type filter hook input priority filter; policy drop;
        meta mark {MARK} ip daddr {{ {CONTROL}, {FORENSIC} }} accept
    }}
    chain leaving {{
        type filter hook output priority filter; policy drop;
        meta mark {MARK} ip saddr {CONTROL} ip daddr @reachable meta l4proto tcp accept
        meta mark {MARK} ip saddr {FORENSIC} ip daddr @standing tcp dport 22 accept
    }}
"""  # noqa: S608 -- nft, not SQL
# A guest has to find its gateway: the fabric answers who asks from his own address, and without a mark not even that.
_ARP_CHAINS = f"""
    chain arriving {{
        type filter hook input priority filter; policy drop;
        iifname . arp saddr ip @known meta mark set {MARK} accept
    }}
"""
_IPV6 = "".join(
    f"    chain {name} {{\n        type filter hook {hook} priority -400; policy drop;\n    }}\n"
    for name, hook in (("arriving", "prerouting"), ("onward", "forward"), ("leaving", "output"))
)

Element = tuple[str, str, str]  # family, set, element


def elements(state: Desired) -> frozenset[Element]:
    """Return every element that a state means."""
    found: set[Element] = set()
    standing = [(port, state.admits(name)) for name, port in state.ports.items() if port.attached]
    for port, admitted in [*standing, (WITNESS, True)]:
        link = f'"{port.interface}" . {port.address}'
        found.add(("arp", "known", link))
        kinds = ("outside", "strangers") if port.outside else ("attached", "standing")
        found |= {("ip", kinds[0], link), ("ip", kinds[1], port.address)}
        if admitted:
            found |= {("ip", "admitted", link), ("ip", "reachable", port.address)}
    for source, target, number in state.permits:
        pair = f"{state.port(source).address} . {state.port(target).address}"
        found |= {("ip", "permits", f"{pair} . {number}"), ("ip", "pairs", pair)}
    found |= {("ip", "exposes", f"{state.port(node).address} . {number}") for node, number in state.exposes}
    return frozenset(found | {("ip", "blocked", address) for address in state.blocked})


def _lines(verb: str, changed: frozenset[Element]) -> list[str]:
    return [f"{verb} element {family} ringfence {name} {{ {value} }}" for family, name, value in sorted(changed)]


def change(old: Desired, new: Desired) -> str:
    """Return the script that turns the ruleset of one state into that of another; empty where they are the same."""
    before, after = elements(old), elements(new)
    return "\n".join(_lines("delete", before - after) + _lines("add", after - before))


def _table(family: str, chains: str) -> str:
    sets = [f"    set {name} {{ {kind} }}\n" for (of, name), kind in _SETS.items() if of == family]
    if family == "ip":
        sets += [f"    set {name} {{ {_FLOWS} }}\n" for name in FLOW_SETS]
    name = f"table {family} ringfence"
    return f"{name}\ndelete {name}\n{name} {{\n{''.join(sets)}{chains}}}\n"


def whole(state: Desired) -> str:
    """Return the script that replaces whatever is there, in one step."""
    tables = _table("ip", _CHAINS) + _table("arp", _ARP_CHAINS) + _table("ip6", _IPV6)
    return tables + "\n".join(_lines("add", elements(state)))
