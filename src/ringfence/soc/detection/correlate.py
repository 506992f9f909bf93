"""Correlations over event time: sliding windows, exact at their edges, whatever order the events come in.

An event may come up to `lateness` after a later one of its group and still counts as if it had come in time; what comes
later than that is counted as late. Time is each group's own, so that one reporter's clock moves nobody else's windows.
Memory is bounded: groups by number, the least recently touched go first and are counted; hits by number in each group.
"""

from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection.rule import Correlation, Kind

MAX_ENTRIES = 1024
MICROS = 1_000_000
Key = tuple[str, ...]


class Entry(NamedTuple):
    """One hit in a window: when (microseconds), how many, of which rule or value, and the digest of its line."""

    at: int
    weight: int
    label: str
    digest: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a correlation holds.

    Attributes:
        groups: groups at most, per correlation.
        entries: hits at most, per group.
        lateness: seconds that an event may come after a later one.
    """

    groups: int = 50_000
    entries: int = MAX_ENTRIES
    lateness: int = 300


@dataclass(slots=True)
class Counters:
    """What was left out, and why."""

    evicted: int = 0
    late: int = 0
    shortened: int = 0


@dataclass(slots=True)
class Correlator:
    """The windows of one correlation."""

    rule: Correlation
    limits: Limits = field(default_factory=Limits)
    counters: Counters = field(default_factory=Counters)
    _groups: OrderedDict[Key, list[Entry]] = field(default_factory=OrderedDict)
    _labels: dict[Key, Counter[str]] = field(default_factory=dict)  # of each group, for the kinds that ask for them
    _newest: int = 0
    group: Callable[[Mapping[str, object]], tuple[object, ...]] = field(init=False)  # the fields that name a group
    _kept: int = field(init=False)  # microseconds that a hit is of use
    _wanted: frozenset[str] = field(init=False)
    _labelled: bool = field(init=False)
    _fulfilled: Callable[[Correlation, list[Entry], int, int], bool] = field(init=False)

    def __post_init__(self) -> None:
        self.group = _getter(self.rule.group_by)
        self._kept = (self.rule.seconds + self.limits.lateness) * MICROS
        self._wanted = frozenset(self.rule.rules)
        self._labelled = self.rule.kind is not Kind.EVENT_COUNT
        self._fulfilled = _FULFILLED[self.rule.kind]

    def add(self, key: Key, entry: Entry) -> Sequence[Entry] | None:
        """Take a hit; return the entries of a window that it completes, or None.

        The window is the one that ends earliest among those that contain the hit and fulfil the correlation.
        """
        if entry.at > self._newest:
            self._newest = entry.at
        entries = self._groups.get(key)
        if entries is None:
            entries = self._groups[key] = [entry]
            self._count(key, entry)
            if len(self._groups) > self.limits.groups:
                self._make_room()
            return entries[:] if self._fulfilled(self.rule, entries, 0, entry.at) else None
        self._groups.move_to_end(key)
        at = len(entries)
        if entry.at < entries[-1].at:
            if entry.at < entries[-1].at - self.limits.lateness * MICROS:
                self.counters.late += 1
                return None
            at = bisect_left(entries, (entry.at + 1,))  # behind those of the same time
        entries.insert(at, entry)
        self._count(key, entry)
        at -= self._prune(key, entries)
        return self._window(entries, at) if at >= 0 and self._possible(key) else None

    def _count(self, key: Key, entry: Entry) -> None:
        if self._labelled:
            labels = self._labels.get(key)  # a counter is dear to make, and mostly there
            if labels is None:
                labels = self._labels[key] = Counter()
            labels[entry.label] += 1

    def _possible(self, key: Key) -> bool:
        """Say whether any window of a group could fulfil the correlation; it spares most of the looking back."""
        if not self._labelled:
            return True
        labels = self._labels[key]
        if self.rule.kind is Kind.VALUE_COUNT:
            return len(labels) >= self.rule.threshold
        return labels.keys() >= self._wanted

    def __len__(self) -> int:
        return len(self._groups)

    def _make_room(self) -> None:
        """Drop the least recently touched group beyond the limit; it is a loss only if its window was still open."""
        while len(self._groups) > self.limits.groups:
            key, dropped = self._groups.popitem(last=False)
            self._labels.pop(key, None)
            if dropped and dropped[-1].at >= self._newest - self._kept:
                self.counters.evicted += 1

    def _prune(self, key: Key, entries: list[Entry]) -> int:
        """Drop what no window can reach any more, or what is too much; return how many."""
        oldest = entries[-1].at - self._kept
        drop = 0
        while entries[drop].at < oldest:
            drop += 1
        if len(entries) - drop > self.limits.entries:
            self.counters.shortened += 1
            drop = len(entries) - self.limits.entries
        if drop:
            if self._labelled:
                self._forget(key, entries[:drop])
            del entries[:drop]
        return drop

    def _forget(self, key: Key, dropped: Sequence[Entry]) -> None:
        labels = self._labels[key]
        for entry in dropped:
            labels[entry.label] -= 1
            if not labels[entry.label]:
                del labels[entry.label]

    def _window(self, entries: list[Entry], at: int) -> Sequence[Entry] | None:
        """Return the first fulfilled window with the entry: each ends at an entry, and none ends before it."""
        span = self.rule.seconds * MICROS
        until = entries[at].at + span
        for right in range(at, len(entries)):
            if entries[right].at > until:
                return None
            oldest = entries[right].at - span
            if self._fulfilled(self.rule, entries, right, oldest):
                return entries[bisect_left(entries, (oldest,), 0, right) : right + 1]
        return None

    def snapshot(self) -> dict[str, Any]:
        """Return groups and counters as JSON values."""
        counters = self.counters
        return {
            "groups": [[list(key), [list(each) for each in entries]] for key, entries in self._groups.items()],
            "counters": [counters.evicted, counters.late, counters.shortened],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot.

        Raises:
            MalformedInput: it is none.
        """
        try:
            groups = [
                (tuple(map(str, key)), [Entry(int(a), int(w), str(b), str(d)) for a, w, b, d in entries])
                for key, entries in state["groups"]
            ]
            evicted, late, shortened = map(int, state["counters"])
        except (KeyError, TypeError, ValueError):
            raise MalformedInput("a snapshot of a correlation does not have its shape") from None
        self._groups = OrderedDict((key, sorted(entries, key=itemgetter(0))) for key, entries in groups if entries)
        self._labels = {}
        for key, entries in groups:
            for entry in entries:
                self._count(key, entry)
        self._newest = max((entries[-1].at for _key, entries in groups if entries), default=0)
        self.counters = Counters(evicted, late, shortened)


def _getter(names: Sequence[str]) -> Callable[[Mapping[str, object]], tuple[object, ...]]:
    """Return what takes these fields at once; for one name `itemgetter` gives no tuple, and for none there is none."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda fields: tuple([fields[name] for name in names])


def _event_count(rule: Correlation, entries: list[Entry], right: int, oldest: int) -> bool:
    total = 0
    for at in range(right, -1, -1):
        if entries[at].at < oldest:
            return False
        total += entries[at].weight
        if total >= rule.threshold:
            return True
    return False


def _value_count(rule: Correlation, entries: list[Entry], right: int, oldest: int) -> bool:
    values: set[str] = set()
    for at in range(right, -1, -1):
        if entries[at].at < oldest:
            return False
        values.add(entries[at].label)
        if len(values) >= rule.threshold:
            return True
    return False


def _temporal(rule: Correlation, entries: list[Entry], right: int, oldest: int) -> bool:
    missing = set(rule.rules)
    for at in range(right, -1, -1):
        if entries[at].at < oldest:
            return False
        missing.discard(entries[at].label)
        if not missing:
            return True
    return False


def _temporal_ordered(rule: Correlation, entries: list[Entry], right: int, oldest: int) -> bool:
    """Look back from a hit of the last rule for the ones before it, in their order."""
    if entries[right].label != rule.rules[-1]:
        return False
    wanted = len(rule.rules) - 1
    for at in range(right, -1, -1):
        if entries[at].at < oldest:
            return False
        if entries[at].label == rule.rules[wanted]:
            wanted -= 1
            if wanted < 0:
                return True
    return False


_FULFILLED = {
    Kind.EVENT_COUNT: _event_count,
    Kind.VALUE_COUNT: _value_count,
    Kind.TEMPORAL: _temporal,
    Kind.TEMPORAL_ORDERED: _temporal_ordered,
}
