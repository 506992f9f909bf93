"""What the helper does, asked and unasked: the kernel first, then the state file, then the answer."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ringfence.fabric import desired, links, netfilter, probes, ruleset
from ringfence.fabric.desired import CONTROL, FORENSIC, WITNESS, Desired, Port
from ringfence.fabric.protocol import Answer, Value
from ringfence.fabric.slots import Slots
from ringfence.kernel.errors import NotFound, Refused, RingfenceError, Unavailable


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and the open file that goes with it; the sender closes it."""

    content: Answer
    descriptor: int | None = None


_DONE = Reply({})


def say(what: str) -> None:
    """Tell the log, if the disk lets us."""
    with contextlib.suppress(OSError):
        print(f"fabric: {what}", file=sys.stderr, flush=True)  # noqa: T201


def _now() -> int:
    return int(time.clock_gettime(time.CLOCK_REALTIME))


class Keeper:
    """The desired state, and the kernel held to it."""

    def __init__(self, directory: Path) -> None:
        self._slots = Slots(directory / "state")
        saved = self._slots.load()
        self.state = desired.load(saved) if saved is not None else Desired()
        self._generation = -1
        self._saved = True
        self._verbs = self._table()
        self._witness: BinaryIO | None = None
        self.events = [netfilter.changes(of) for of in (netfilter.RULESET, netfilter.ROUTING_RULES)]
        self._routing_is_sure = False
        links.prepare()
        for name, port in self.state.ports.items():
            if port.attached and not links.present(port):
                self.state = desired.detach(self.state, name)
        self._restore()

    # Without being asked

    def tick(self) -> None:
        """Restore ruleset and routing if anybody touched them, end blocks, and repeat a write that the disk refused."""
        touched = [netfilter.drain(events) for events in self.events]
        if netfilter.generation() != self._generation:
            say("the ruleset was changed by somebody else: restored")
            self._routing_is_sure = False
            self._restore()
        if any(touched[1:]) or not self._routing_is_sure:
            self._routing_is_sure = False  # should this fail, it is tried again
            if links.prepare():
                say("the routing rules were changed by somebody else: restored")
            self._routing_is_sure = True
        ended = desired.expired(self.state, _now())
        if ended != self.state:
            self._enter(ended)
        if not self._saved:
            self._save()

    def _restore(self) -> None:
        known = netfilter.generation()
        netfilter.load(ruleset.whole(self.state))
        self._generation = known + 1

    def _load(self, new: Desired) -> None:
        known = netfilter.generation()
        script = ruleset.change(self.state, new) if known == self._generation else ruleset.whole(new)
        if script:
            netfilter.load(script)
            self._generation = known + 1

    def _save(self) -> bool:
        try:
            self._slots.save(desired.dump(self.state))
        except Unavailable as error:
            if self._saved:
                say(str(error))
            self._saved = False
        else:
            self._saved = True
        return self._saved

    def _enter(self, new: Desired, *, containment: bool = False) -> tuple[int, bool]:
        """Make a state true, and return in how many microseconds and whether the disk has it.

        What contains stands even where the disk refuses it; anything else is taken back.
        """
        if new == self.state:
            return 0, self._saved
        old, start = self.state, time.monotonic_ns()
        self._load(new)
        self.state, micros = new, (time.monotonic_ns() - start) // 1000
        if self._save() or containment:
            return micros, self._saved
        self._load(old)
        self.state = old
        raise Unavailable("the fabric's state cannot be written, so nothing was changed; is the disk in order?")

    # What a probe needs: it is carried out by a child, which must hold nothing up

    def call_witness(self) -> None:
        """See to it that the fabric has somebody of its own to send from and to."""
        if self._witness and links.present(WITNESS):
            return
        if self._witness:
            self._witness.close()
        self._witness = None
        try:
            self._witness = links.witness()
        except RingfenceError as error:
            say(f"no witness: {error}")

    def let_go(self) -> None:
        """Let go of the state file, in a child: the next helper needs it should this one end."""
        self._slots.close()

    # Verbs

    def answer(self, verb: str, fields: Mapping[str, Value], caller: int) -> Reply:
        """Carry out one verb."""
        if verb in _CHANGES:
            self._enter(_CHANGES[verb](self.state, *fields.values()), containment=verb in {"forbid", "hide"})
            return _DONE
        return self._verbs[verb](fields, caller)

    def _table(self) -> Mapping[str, Callable[[Mapping[str, Value], int], Reply]]:
        return {
            "hello": lambda _, __: _DONE,
            "attach": self._attach,
            "attach-outside": self._attach,
            "attach-tap": self._attach_tap,
            "detach": self._detach,
            "quarantine": self._quarantine,
            "block": self._block,
            "blocked": lambda _, __: Reply({"blocked": sorted(self.state.blocked)}),
            "connect": self._connect,
            "probe": self._probe,
            "nodes": self._nodes,
            "flows": self._flows,
            "digest": lambda _, __: Reply({"digest": desired.digest(self.state)}),
        }

    def _attach(self, fields: Mapping[str, Value], caller: int) -> Reply:
        name, pid, address = str(fields["node"]), int(fields["pid"]), str(fields.get("address", ""))
        with links.network(pid) as theirs:
            network = links.verify_foreign(theirs, caller)
            new = desired.attach(self.state, name, pid=pid, network=network, outside=address)
            return self._attached(name, new, lambda port: links.attach(port, theirs))

    def _attach_tap(self, fields: Mapping[str, Value], _: int) -> Reply:
        name = str(fields["node"])
        return self._attached(name, desired.attach(self.state, name), links.attach_tap)

    def _attached(self, name: str, new: Desired, work: Callable[[Port], int | None]) -> Reply:
        self._enter(new)
        port = new.ports[name]
        try:
            descriptor = work(port)
        except RingfenceError:
            self._enter(desired.detach(self.state, name), containment=True)
            raise
        prefix = 32 if port.outside else 30
        return Reply({"attachment": [name, port.interface, port.address, port.gateway, prefix]}, descriptor)

    def _detach(self, fields: Mapping[str, Value], _: int) -> Reply:
        name = str(fields["node"])
        port = self.state.ports.get(name)
        self._enter(desired.detach(self.state, name), containment=True)
        if port is not None:
            links.remove(port)
        return _DONE

    def _quarantine(self, fields: Mapping[str, Value], _: int) -> Reply:
        node = str(fields["node"])
        micros, durable = self._enter(desired.quarantine(self.state, node), containment=True)
        return Reply({"cut": [node, desired.pre_state(self.state, node), micros, durable]})

    def _connect(self, fields: Mapping[str, Value], _: int) -> Reply:
        node, via = str(fields["node"]), fields["via"]
        port = self.state.port(node)
        if not port.attached:
            raise NotFound(f"{node} is not attached to the fabric")
        if via == "control" and not self.state.admits(node):
            raise Refused(f"{node} is {port.state}; only the forensic channel reaches it")
        if via == "forensic" and fields["port"] != 22:  # SSH, as the ruleset has it
            raise Refused("the forensic channel leads to port 22 only")
        connection = probes.marked(FORENSIC if via == "forensic" else CONTROL)
        return Reply({}, probes.begin(connection, (port.address, int(fields["port"]))).detach())

    def _block(self, fields: Mapping[str, Value], _: int) -> Reply:
        seconds = int(fields["seconds"])
        new = desired.block(self.state, str(fields["address"]), _now() + seconds if seconds else 0)
        self._enter(new, containment=True)
        return _DONE

    def _flows(self, _: Mapping[str, Value], __: int) -> Reply:
        names = {port.interface: "outside" if port.outside else name for name, port in self.state.ports.items()}
        # What the witness sent were our own probes.
        rows = [[names.get(str(link), ""), *rest] for link, *rest in netfilter.flows() if link != WITNESS.interface]
        listing = os.memfd_create("flows", os.MFD_CLOEXEC)  # there may be more than a message holds
        with open(os.dup(listing), "wb") as out:  # noqa: PTH123 -- a descriptor
            out.write(json.dumps(rows).encode())
        return Reply({}, listing)

    def _nodes(self, _: Mapping[str, Value], __: int) -> Reply:
        return Reply({"nodes": {name: port.state for name, port in self.state.ports.items() if not port.outside}})

    def _probe(self, fields: Mapping[str, Value], _: int) -> Reply:
        return Reply({"probes": probes.probe(self.state, str(fields["node"]), self._witness)})


_CHANGES: Mapping[str, Callable[..., Desired]] = {
    "admit": desired.admit,
    "permit": desired.permit,
    "forbid": desired.forbid,
    "expose": desired.expose,
    "hide": desired.hide,
    "release": desired.release,
    "unblock": desired.unblock,
}
