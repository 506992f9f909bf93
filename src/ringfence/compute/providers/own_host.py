"""Machines that the user already has: reached by SSH, cut off from inside, otherwise left alone.

Everything here is in the guest: root there can undo the cut, answer what it likes to a probe, and write what it likes
into the log. What it cannot do is pass for another machine: only the host key that was recorded is accepted.
"""

import os
import socket
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ringfence import components
from ringfence.compute import address as addresses
from ringfence.compute.configuration import Facts
from ringfence.compute.model import (
    Endpoint,
    Isolation,
    NodeClass,
    NodeId,
    NodeLog,
    NodeSpec,
    Observed,
    Offer,
    ProbeResult,
    QuarantineKind,
)
from ringfence.compute.ports import Authority
from ringfence.compute.providers import evidence, guest_scripts, handshake, in_guest, outward, remote
from ringfence.compute.providers.following import Following
from ringfence.compute.providers.hosts import Host, Hosts
from ringfence.compute.providers.remote import Remote
from ringfence.kernel.errors import Conflict, Refused, RingfenceError, Unavailable, VerificationFailed

LOOK_SECONDS = 6.0
ACT_SECONDS = 15.0
AGAIN = 3.0  # seconds between two attempts to log in where our authority is not trusted yet
FRESH = 10.0  # seconds for which an answer about a cut is believed
AT_ONCE = 8  # machines that are asked at a time
NO_RULES = (
    "{host} cannot be cut off: neither root nor `sudo -n nft` could load rules there; install nftables and let "
    "{user} run it, or cut the machine off by other means"
)


class OwnHostProvider:
    """Reaches machines of one's own, of which a directory keeps what is known."""

    node_class = NodeClass.OWN

    def __init__(self, directory: Path, authority: Authority) -> None:
        self._hosts = Hosts(directory)
        self._authority = authority
        self._following = Following(self._hosts)
        self._tried: dict[NodeId, float] = {}
        self._seen: dict[NodeId, tuple[float, bool]] = {}  # when a machine last said whether it is cut off
        self._cut: set[NodeId] = set()  # cut, where the disk took no record of it

    def offer(self) -> Offer:
        """Say whether machines can be reached; what each can do is seen when it is added."""
        there = components.present("ssh")
        return Offer(
            node_class=self.node_class,
            available=there,
            because="a machine that you have; root there can undo a cut" if there else "missing: ssh; run `make setup`",
            isolation="dedicated-host",
            quarantine=QuarantineKind.IN_GUEST,
            limits=(),
        )

    def create(self, spec: NodeSpec) -> None:
        """Meet the machine; where it does not let us in yet, it is waited for: somebody has to install our key."""
        key = addresses.host_key(spec.host_key)
        addresses.parse(spec.address)
        with self._hosts.locked(spec.node):
            host = self._hosts.read(spec.node)
            if host is None:
                host = Host(spec.node, spec.address, key)
                self._check_alone(host)
                self._check_host(host)
                self._hosts.write(host)
            if not host.met:
                with suppress(Refused):
                    host = self._meet(host)
        self._follow(host)

    def _check_alone(self, host: Host) -> None:
        for other in self._hosts.all():
            if other.host_key == host.host_key and other.node != host.node:
                raise Conflict(
                    "a machine that was added already shows this host key: it is the same one, or a copy that needs "
                    "a key of its own (`ssh-keygen -A`)"
                )

    def _check_host(self, host: Host) -> None:
        """Raise unless what answers there holds the host key."""
        where = addresses.parse(host.address)
        try:
            with socket.create_connection((where.host, where.port), timeout=LOOK_SECONDS) as connection:
                handshake.verify_host(connection, host.host_key)
        except OSError as error:
            raise Unavailable(f"{where.host} port {where.port} does not answer: {error.strerror or error}") from error

    def _meet(self, host: Host) -> Host:
        """Log in for the first time: which rules can be loaded there, and is it cut off already?"""
        self._tried[host.node] = time.monotonic()
        way, listing = self._look(host)
        met = replace(host, met=True, rules=way, cut=host.cut or in_guest.holds(listing))
        self._hosts.write(met)
        return met

    def _look(self, host: Host) -> tuple[str, str]:
        """Return how rules can be loaded, and our table as it is there."""
        said = self._remote(host).run(guest_scripts.SHELL, said=guest_scripts.LOOK.encode(), seconds=LOOK_SECONDS)
        first, _, listing = said.partition("\n")
        way = first.removeprefix("rules ")
        if way not in {*guest_scripts.NFT, "none"}:
            raise VerificationFailed("the machine's shell does not answer as a shell does")
        return way, listing

    def _remote(self, host: Host) -> Remote:
        return Remote(host.node, self._endpoint(host), self._authority)

    def _endpoint(self, host: Host) -> Endpoint:
        where = addresses.parse(host.address)
        return Endpoint(where.user, host.host_key, (), where.host, where.port, fdpass=False)

    def _follow(self, host: Host) -> bool:
        if not host.met:
            return False
        try:
            return self._following.ensure(host.node, self._remote(host))
        except (RingfenceError, OSError):
            return False  # it is tried again; a machine whose log is not followed is still one that can be cut off

    def inspect(self, node: NodeId) -> Observed:
        """Return whether the machine was added; one that does not answer for a while is not gone."""
        host = self._hosts.read(node)
        if host is None:
            return Observed(running=False, address="", detail="no such machine was added here")
        followed = self._follow(host)
        detail = "its log is followed" if followed else "its log is not followed now"
        kind = QuarantineKind.NO if host.met and host.rules == "none" else QuarantineKind.IN_GUEST
        return Observed(True, self._endpoint(host).host, detail if host.met else "not met yet", kind)  # noqa: FBT003

    def ready(self, node: NodeId) -> bool:
        """Return whether our certificates open it; one that was not met yet is tried again every few seconds."""
        host = self._hosts.read(node)
        if host is None:
            return False
        try:
            if host.met:
                self._check_host(host)
                return True
            if time.monotonic() - self._tried.get(node, -AGAIN) < AGAIN:
                return False
            with self._hosts.locked(node):
                return self._meet(self._hosts.known(node)).met  # it may have been cut off before the lock was ours
        except RingfenceError:
            return False

    def endpoint(self, node: NodeId, *, forensic: bool = False) -> Endpoint:  # noqa: ARG002 - there is one way only
        """Return how to reach it: directly; cut off, only from the controller's address."""
        return self._endpoint(self._hosts.known(node))

    def collect(self, node: NodeId, *, seconds: float) -> Mapping[str, bytes]:
        """Ask the machine for what is volatile; the log's end is ours."""
        host = self._hosts.known(node)
        deadline = time.monotonic() + seconds
        tail = evidence.gather({"log-tail": lambda: evidence.log_tail(self._hosts.log(node))}, seconds=seconds)
        asked, because = self._ask(host, deadline)
        items = {name: asked.get(name, because) for name in guest_scripts.ITEMS}
        return {name: text.encode()[: evidence.LARGEST] for name, text in items.items()} | tail

    def _ask(self, host: Host, deadline: float) -> tuple[dict[str, str], str]:
        """Return what the machine told before the deadline, and why the rest is missing."""
        late = "not taken: the time was up"
        left = deadline - time.monotonic()
        if left <= 0:
            return {}, late
        mark = os.urandom(16).hex()
        try:
            with self._remote(host).talk(guest_scripts.SHELL, seconds=left) as talk:
                talk.say(guest_scripts.collect(mark, evidence.LARGEST), end=True)
                return guest_scripts.collected(talk.printed(), mark), late
        except RingfenceError as error:
            return {}, f"not taken: {error}"

    def isolate(self, node: NodeId) -> Isolation:
        """Load our table there; where it is there already, change nothing."""
        with self._hosts.locked(node):
            host = self._hosts.known(node)
            way, listing = (host.rules, "") if host.met and not host.cut else self._look(host)
            if host.cut and host.before and in_guest.holds(listing):
                self._seen[node] = (time.monotonic(), True)
                return Isolation(QuarantineKind.IN_GUEST, host.before, 0)
            if way == "none":
                way, _ = self._look(host)  # somebody may have installed it meanwhile
            if way == "none":
                where = addresses.parse(host.address)
                raise Unavailable(NO_RULES.format(host=where.host, user=where.user))
            return self._load(replace(host, rules=way))

    def _load(self, host: Host) -> Isolation:
        with self._remote(host).talk(guest_scripts.cut(host.rules), seconds=ACT_SECONDS) as talk:
            talk.until(guest_scripts.BEGUN)
            controller, port = in_guest.connection(talk.until(guest_scripts.LISTED))
            listing = talk.until(guest_scripts.READY)
            begun = replace(host, cut=True, before=host.before or in_guest.digest(listing))
            self._remember(begun, listing)
            start = time.perf_counter()
            talk.say(in_guest.ruleset(controller, port).encode(), end=True)
            loaded = talk.until(guest_scripts.DONE)
            micros = round((time.perf_counter() - start) * 1_000_000)
        if not in_guest.holds(loaded):
            raise VerificationFailed(f"{addresses.parse(host.address).host} took our rules, and does not show them")
        self._seen[host.node] = (time.monotonic(), True)
        return Isolation(QuarantineKind.IN_GUEST, begun.before, micros)

    def _remember(self, begun: Host, listing: str) -> None:
        """Write down that it is about to be cut off; a full disk delays nothing."""
        self._cut.add(begun.node)
        with suppress(RingfenceError):
            self._hosts.write(begun)
            self._hosts.keep_rules(begun.node, in_guest.rest(listing))

    def isolated(self) -> frozenset[NodeId]:
        """Return which machines are cut off; of one that does not answer, what it said last is believed."""
        cut = [host for host in self._hosts.all() if host.cut or host.node in self._cut]
        now = time.monotonic()
        stale = [host for host in cut if now - self._seen.get(host.node, (-FRESH, True))[0] >= FRESH]
        if stale:
            with ThreadPoolExecutor(min(AT_ONCE, len(stale))) as pool:
                list(pool.map(self._check, stale))
        return frozenset(host.node for host in cut if self._seen.get(host.node, (0.0, True))[1])

    def _check(self, host: Host) -> None:
        known = self._seen.get(host.node, (0.0, True))[1]
        with suppress(RingfenceError):
            known = in_guest.holds(self._look(host)[1])
        self._seen[host.node] = (time.monotonic(), known)

    def probe(self, node: NodeId) -> tuple[ProbeResult, ...]:
        """Try to get out from inside, and to get in beside SSH."""
        host = self._hosts.known(node)
        where = addresses.parse(host.address)
        return outward.probe(self._remote(host), where.host)

    def configuration(self, node: NodeId) -> Facts:
        """Log in and read."""
        return remote.configuration(self._remote(self._hosts.known(node)))

    def baseline(self, spec: NodeSpec) -> Facts:
        """Return what a person accepted as right."""
        return self._hosts.baseline(spec.node)

    def keep_baseline(self, node: NodeId, facts: Facts) -> None:
        """Keep what the machine said."""
        with self._hosts.locked(node):
            self._hosts.keep_baseline(self._hosts.known(node).node, facts)

    def restore(self, node: NodeId, before: str) -> None:
        """Delete our table, and nothing else, where the other rules are those of before."""
        with self._hosts.locked(node):
            host = self._hosts.known(node)
            if not host.cut and node not in self._cut:
                return
            if before != host.before:
                raise Conflict(f"{node} was cut off in another state than the one that is to be given back")
            with self._remote(host).talk(guest_scripts.free(host.rules), seconds=ACT_SECONDS) as talk:
                talk.until(guest_scripts.BEGUN)
                self._check_rest(host, talk.until(guest_scripts.READY))
                talk.say(in_guest.REMOVAL.encode(), end=True)
                left = talk.until(guest_scripts.DONE)
            self._check_rest(host, left)
            if in_guest.HEAD in left:
                raise Unavailable(f"{addresses.parse(host.address).host} still shows our rules")
            self._hosts.write(replace(host, cut=False, before=""))
            self._cut.discard(node)

    def _check_rest(self, host: Host, listing: str) -> None:
        if in_guest.digest(listing) != host.before:
            raise Conflict(
                f"the rules of {addresses.parse(host.address).host} were changed while it was cut off; put them back "
                f"as before.nft in the home's hosts/{host.node} has them, then release again"
            )

    def destroy(self, node: NodeId) -> None:
        """Forget the machine and leave it alone: rules of ours are there only while it is cut off; then they stay."""
        if node not in self._hosts.folders():
            return
        with self._hosts.locked(node):
            self._following.end(node)
            self._hosts.remove(node)
        for kept in (self._tried, self._seen):
            kept.pop(node, None)
        self._cut.discard(node)

    def existing(self) -> frozenset[NodeId]:
        """Return every machine of which something is written down."""
        return frozenset(self._hosts.folders())

    def logs(self, node: NodeId) -> tuple[NodeLog, ...]:
        """Return the lines of its sshd, which come from the machine itself."""
        return (NodeLog(node, "sshd", str(self._hosts.log(node))),) if self._hosts.read(node) else ()
