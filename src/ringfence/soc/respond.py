"""Rule on each action that a playbook wishes for: lists, caps, repetition, dry run. Pure.

The order of the checks is the order of their weight: who reported, then whom never to touch, then what is in force
already, then how much was done lately. Nothing here is undone by anything an attacker can write into a log.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from ringfence.soc.action import Act, ActionKind, NodeFacts, Past, Reason, Response, Ruling, Surroundings, Wish
from ringfence.soc.faults import RULES
from ringfence.soc.model import Finding, finding_id
from ringfence.soc.policy import Mode, Policy

STORM = "response-storm"
_KEY = re.compile(r"k-[0-9a-f]{12}")
OWN_RULES = RULES | {STORM, "availability-threshold", "source-silent", "source-unparsed"}  # never part of a storm


def decide(
    finding: Finding,
    wished: Iterable[Wish],
    policy: Policy,
    past: Sequence[Past],
    node: NodeFacts | None,
    around: Surroundings,
    *,
    at: datetime,
) -> Response | None:
    """Rule on every wish; None where an attack that goes on calls for nothing new.

    Args:
        finding: what was seen.
        wished: what its playbook calls for.
        policy: the tenant's settings.
        past: earlier rulings of this tenant, at least those of the window and of this finding.
        node: the node whose transport brought the lines; None where it is no node of this tenant.
        around: what else counts.
        at: now.
    """
    recent = [one for one in past if one.at > at - policy.window]
    isolations = len({one.target for one in recent if _counts(one, ActionKind.ISOLATE_NODE, policy)})
    cap = policy.cap(around.nodes)
    bench = _Bench(finding, policy, past, recent, node, around, at, isolations < cap)
    acts = tuple(act for wish in wished if (act := bench.rule(wish)) is not None)
    earlier = [one for one in past if one.finding == finding.id]
    if earlier and not any(act.ruling in {Ruling.TAKE, Ruling.WOULD} for act in acts):
        return None
    storm = any(act.ruling is Ruling.ASK and act.reason in {Reason.CAP, Reason.STORM} for act in acts)
    turn = 1 + max((one.turn for one in earlier), default=-1)
    return Response(_quietened(acts, storm=storm), turn, isolations, cap, storm)


def _counts(one: Past, kind: ActionKind, policy: Policy) -> bool:
    """Return whether it was done; a dry run counts its own rulings too, and nobody else does."""
    would = one.ruling is Ruling.WOULD and policy.mode is Mode.DRY_RUN
    return one.kind is kind and (one.ruling is Ruling.TAKE or would)


def _quietened(acts: tuple[Act, ...], *, storm: bool) -> tuple[Act, ...]:
    """Fold the alert of a finding into that of the storm, where nothing was cut off that a person must hear of."""
    heard = {ActionKind.ISOLATE_NODE, ActionKind.BLOCK_KEY}
    cut = any(act.kind in heard and act.ruling in {Ruling.TAKE, Ruling.WOULD} for act in acts)
    if cut or not storm:
        return acts
    return tuple(
        Act(act.kind, act.target, Ruling.SKIP, Reason.STORM)
        if act.kind is ActionKind.ALERT and act.ruling is Ruling.TAKE
        else act
        for act in acts
    )


class _Bench:
    """The rulings about one finding."""

    def __init__(
        self,
        finding: Finding,
        policy: Policy,
        past: Sequence[Past],
        recent: Sequence[Past],
        node: NodeFacts | None,
        around: Surroundings,
        at: datetime,
        room: bool,  # noqa: FBT001 - built in one place, from one expression
    ) -> None:
        self.finding, self.policy, self.past, self.recent = finding, policy, past, recent
        self.node, self.around, self.at, self.room = node, around, at, room

    def rule(self, wish: Wish) -> Act | None:
        """Rule on one wish; None where a repetition has nothing to say about it."""
        match wish.kind:
            case ActionKind.ALERT:
                return self._alert(wish)
            case ActionKind.BLOCK_SOURCE:
                return self._settled(wish, self.finding.source, self._source(wish))
            case ActionKind.BLOCK_KEY:
                return self._settled(wish, self._key_id, self._key(wish))
            case ActionKind.ISOLATE_NODE:
                return self._settled(wish, self.node.node if self.node else "", self._node(wish))

    def _settled(self, wish: Wish, target: str, ruled: tuple[Ruling, Reason]) -> Act:
        ruling, reason = ruled
        if not self.around.authenticated:
            ruling, reason = Ruling.SKIP, Reason.DECLARED
        if ruling is Ruling.TAKE and self.finding.rule in self.policy.rules_off:
            ruling, reason = Ruling.SKIP, Reason.RULE_OFF
        if ruling is Ruling.TAKE and self.policy.mode is Mode.DRY_RUN:
            ruling, reason = Ruling.WOULD, Reason.DRY_RUN
        return Act(wish.kind, target, ruling, reason, wish.seconds)

    def _done(self, kind: ActionKind, target: str) -> Past | None:
        """Return the newest time that this was done (or would have been) to the target."""
        same = [one for one in self.past if one.target == target and _counts(one, kind, self.policy)]
        return max(same, key=lambda one: one.at, default=None)

    def _lately(self, kind: ActionKind) -> int:
        """Return how often this was done within the window: per target, alerts per finding."""
        done = [one for one in self.recent if _counts(one, kind, self.policy)]
        return len({one.target or one.finding for one in done})

    def _node(self, wish: Wish) -> tuple[Ruling, Reason]:
        node = self.node
        if node is None:
            return Ruling.SKIP, Reason.UNKNOWN_NODE
        if {node.node, node.name} & set(self.policy.never_isolate):
            return Ruling.SKIP, Reason.NEVER_ISOLATE
        if node.contained_since is not None or self._isolated_for_this(node.node):
            return Ruling.SKIP, Reason.IN_FORCE
        last = self._done(ActionKind.ISOLATE_NODE, node.node)
        if last is not None and self.at - last.at < timedelta(seconds=self.policy.cooldown_seconds):
            return Ruling.ASK, Reason.COOLDOWN
        return (Ruling.TAKE, wish.reason) if self.room else (Ruling.ASK, Reason.CAP)

    def _isolated_for_this(self, node: str) -> bool:
        return any(
            one.finding == self.finding.id
            and one.kind is ActionKind.ISOLATE_NODE
            and one.target == node
            and one.ruling is not Ruling.SKIP
            for one in self.past
        )

    def _source(self, wish: Wish) -> tuple[Ruling, Reason]:
        if (spared := self._spared()) is not None:
            return spared
        lasting = timedelta(seconds=wish.seconds)
        if self.finding.last_seen + lasting <= self.at:
            return Ruling.SKIP, Reason.EXPIRED
        before = self._done(ActionKind.BLOCK_SOURCE, self.finding.source)
        if before is not None and before.until is not None and before.until - self.at > lasting / 2:
            return Ruling.SKIP, Reason.IN_FORCE
        if self._lately(ActionKind.BLOCK_SOURCE) >= self.policy.blocks:
            return Ruling.ASK, Reason.CAP
        return Ruling.TAKE, wish.reason if before is None else Reason.EXTENDED

    def _spared(self) -> tuple[Ruling, Reason] | None:
        source = self.finding.source
        if not is_address(source):
            return Ruling.SKIP, Reason.NO_ADDRESS
        if source in self.around.protected or self.policy.spares(source):
            return Ruling.SKIP, Reason.NEVER_BLOCK
        return (Ruling.ASK, Reason.ADMINISTRATOR) if self.around.administrator else None

    @property
    def _key_id(self) -> str:
        """Return the key that a finding is about; no node of ours is called like one."""
        subject = self.finding.subject
        return subject if self.node is None and _KEY.fullmatch(subject) else ""

    def _key(self, wish: Wish) -> tuple[Ruling, Reason]:
        key = self._key_id
        if not key:
            return Ruling.SKIP, Reason.NO_KEY
        if key in self.policy.never_block_keys:
            return Ruling.SKIP, Reason.NEVER_BLOCK_KEY
        before = self._done(ActionKind.BLOCK_KEY, key)
        if before is not None and self._blocked_since(before):
            return Ruling.SKIP, Reason.IN_FORCE
        if wish.by_source and self._is_shared:
            return Ruling.ASK, Reason.SHARED_ADDRESS
        if self._lately(ActionKind.BLOCK_KEY) >= self.policy.key_blocks:
            return Ruling.ASK, Reason.CAP
        return Ruling.TAKE, wish.reason if before is None else Reason.EXTENDED

    def _blocked_since(self, before: Past) -> bool:
        """Return whether nothing came after a block: a key that is let in later was unblocked by a person."""
        soon = self.at - before.at < timedelta(seconds=self.policy.cooldown_seconds)
        return soon or self.finding.last_seen <= before.at

    @property
    def _is_shared(self) -> bool:
        source = self.finding.source
        return not _is_ip(source) or source in self.around.protected or self.policy.spares(source)

    def _alert(self, wish: Wish) -> Act | None:
        finding = self.finding
        if any(one.finding == finding.id and one.kind is ActionKind.ALERT for one in self.past):
            return None
        names = (self.node.node, self.node.name) if self.node else (finding.subject,)
        if self.policy.is_silent(finding.rule, names, self.at):
            return Act(wish.kind, "", Ruling.SKIP, Reason.SILENCED)
        if not self.around.authenticated:
            return Act(wish.kind, "", Ruling.SKIP, Reason.DECLARED)
        if self._lately(ActionKind.ALERT) >= self.policy.alerts and finding.rule not in OWN_RULES:
            return Act(wish.kind, "", Ruling.ASK, Reason.STORM)
        return Act(wish.kind, "", Ruling.TAKE, wish.reason)


def storm_of(tenant: str, at: datetime) -> Finding:
    """Return the finding that speaks for all that had to be left to a person."""
    return Finding(
        id=finding_id(STORM, tenant, "", at),
        rule=STORM,
        subject=tenant,
        source="",
        first_seen=at,
        last_seen=at,
        count=0,
        severity="high",
        title="More was attacked than may be cut off without asking: a person decides about the rest",
    )


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_address(text: str) -> bool:
    """Return whether a source is an address that can be blocked; host names come from whoever controls their DNS."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return False
    return found.version == 4 and not (found.is_loopback or found.is_unspecified or found.is_multicast)
