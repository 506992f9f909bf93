"""How many attempts a line stands for: several lines tell of one and the same attempt.

With PAM, one wrong password yields `authentication failure`, `Failed password` and, at the end, `Connection closed by
authenticating user`. For each connection the lines of each kind are counted apart; the attempts of the connection are
the largest of these counts, and a line stands for what it adds to it. So the order of the lines does not matter, and a
log with only one of the kinds counts as well as one with all. Guesses and unknown names are counted apart.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.model import Event

ATTEMPTS = {
    **dict.fromkeys(("failed", "pam-failure", "ended-unauthenticated", "not-allowed"), "guess"),
    **dict.fromkeys(("invalid-user", "ended-unknown"), "name"),
}
IDLE = 600_000_000  # microseconds; process numbers and ports are used again
Key = tuple[str, str, str]


# A connection: how often it was told of, by the kind of line, and under these names its port, when it was last heard
# of, and its attempts. A plain dictionary of numbers, because the collector of garbage need not look into those.
PORT, LAST, GUESSED = "port", "last", "attempts"
_Connection = dict[str, int]


@dataclass(slots=True)
class Attempts:
    """The connections that are being watched, the least recently seen forgotten beyond a limit."""

    limit: int = 50_000
    evicted: int = 0
    _connections: OrderedDict[Key, _Connection] = field(default_factory=OrderedDict)

    def weigh(self, event: Event, at: int) -> int:
        """Return how many attempts, not told of before, an event stands for; other events count as they come.

        Args:
            event: what was reported.
            at: its time in microseconds.
        """
        fields = event.fields
        code = fields.get("metadata.event_code")
        family = ATTEMPTS.get(code) if type(code) is str else None
        if family is None:
            return event.repeats
        code = str(code)
        connection = self._connection(family, fields, at)
        told = connection[code] = connection.get(code, 0) + event.repeats
        more = told - connection[GUESSED]
        if more <= 0:
            return 0
        connection[GUESSED] = told
        return more

    def _connection(self, family: str, fields: Mapping[str, object], at: int) -> _Connection:
        port = fields.get("src_endpoint.port")
        port = port if type(port) is int else 0
        place = f"{family} {fields.get('process.pid') or port}"
        key = (str(fields.get("device.hostname", "")), str(fields.get("src_endpoint.uid", "")), place)
        found = self._connections.get(key)
        if found is None or abs(at - found[LAST]) > IDLE or (port and found[PORT] and port != found[PORT]):
            if found is not None:
                del self._connections[key]  # so that the new one is the youngest
            found = self._connections[key] = {PORT: port, LAST: at, GUESSED: 0}
            if len(self._connections) > self.limit:
                self._make_room(at)
            return found
        self._connections.move_to_end(key)
        found[PORT] = port or found[PORT]
        if at > found[LAST]:
            found[LAST] = at
        return found

    def _make_room(self, now: int) -> None:
        """Forget the connections least recently seen; those that were idle anyway are no loss."""
        while len(self._connections) > self.limit:
            _key, dropped = self._connections.popitem(last=False)
            self.evicted += abs(now - dropped[LAST]) <= IDLE

    def snapshot(self) -> list[Any]:
        """Return the connections as JSON values."""
        return [[list(key), each] for key, each in self._connections.items()]

    def restore(self, state: Any) -> None:
        """Continue from a snapshot.

        Raises:
            MalformedInput: it is none.
        """
        try:
            self._connections = OrderedDict(
                ((str(node), str(source), str(pid)), _restored(told)) for (node, source, pid), told in state
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise MalformedInput("a snapshot of attempts does not have its shape") from None


def _restored(told: Mapping[str, int]) -> _Connection:
    found = {str(name): int(number) for name, number in told.items()}
    return {PORT: found[PORT], LAST: found[LAST], GUESSED: found[GUESSED], **found}
