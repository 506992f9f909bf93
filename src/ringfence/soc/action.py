"""What a response consists of: frozen types that the decision, the service and the pages share."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ActionKind(StrEnum):
    """What can be done about a finding, the most drastic first."""

    ISOLATE_NODE = "isolate-node"
    BLOCK_KEY = "block-key"
    BLOCK_SOURCE = "block-source"
    ALERT = "alert"


class Ruling(StrEnum):
    """Whether an action is taken."""

    TAKE = "take"
    WOULD = "would-have"  # dry run: decided, timed, and not done
    ASK = "ask"  # queued for a person
    SKIP = "skip"


class Reason(StrEnum):
    """Why a ruling is what it is."""

    PLAYBOOK = "playbook"
    EXTENDED = "attack-goes-on"
    ON_ATTEMPTS = "training-node-isolates-on-attempts"
    DRY_RUN = "dry-run"
    NEVER_ISOLATE = "never-isolate"
    NEVER_BLOCK = "never-block"
    NEVER_BLOCK_KEY = "never-block-key"
    ADMINISTRATOR = "recent-certificate-login"
    SHARED_ADDRESS = "address-is-never-blocked"
    NO_ADDRESS = "source-is-not-an-address"
    NO_KEY = "no-known-key"
    CAP = "cap-reached"
    COOLDOWN = "isolated-a-moment-ago"
    IN_FORCE = "in-force-already"
    EXPIRED = "would-have-ended-by-now"
    RULE_OFF = "actions-of-this-rule-are-off"
    SILENCED = "silenced"
    STORM = "part-of-a-storm"
    DECLARED = "nobody-authenticated-the-source"
    UNKNOWN_NODE = "no-such-node-here"


class State(StrEnum):
    """How far an action has come."""

    DESIRED = "desired"
    DONE = "done"
    FAILED = "failed"
    WAITING = "waiting-for-a-person"
    SETTLED = "settled-by-a-person"  # it waited, and somebody said what was done
    NONE = "none"  # ruled out, or a dry run


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What is known of the node that reported: from the host, never from the text."""

    node: str
    name: str
    node_class: str = ""
    training: bool = False
    serves: bool = False  # customers depend on it
    contained_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else the decision depends on."""

    nodes: int  # of the tenant
    administrator: bool = False  # a certificate was accepted from this source lately
    protected: frozenset[str] = frozenset()  # addresses of our own: controller, forensic
    authenticated: bool = True  # the line came by the node's own transport


@dataclass(frozen=True, slots=True)
class Past:
    """An action that was ruled on before."""

    finding: str
    kind: ActionKind
    target: str
    ruling: Ruling
    at: datetime
    until: datetime | None = None  # of a block
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """What the playbook wants, before caps and lists."""

    kind: ActionKind
    reason: Reason
    seconds: int = 0
    by_source: bool = False  # what the source did is held against the key: it may be a source that others share


@dataclass(frozen=True, slots=True)
class Act:
    """One action and the ruling on it."""

    kind: ActionKind
    target: str
    ruling: Ruling
    reason: Reason
    seconds: int = 0

    @property
    def contains(self) -> bool:
        """Return whether it is to be carried out on the network."""
        return self.ruling is Ruling.TAKE and self.kind is not ActionKind.ALERT

    @property
    def wanted(self) -> State:
        """Return its state before anything was done."""
        return {Ruling.TAKE: State.DESIRED, Ruling.ASK: State.WAITING}.get(self.ruling, State.NONE)


@dataclass(frozen=True, slots=True)
class Response:
    """Everything that was ruled about one finding at one time."""

    acts: tuple[Act, ...]
    turn: int  # 0 at first, counted up where an attack that goes on is answered again
    isolations: int  # within the window, before this response
    cap: int
    storm: bool = False

    def act(self, kind: ActionKind) -> Act | None:
        """Return the act of a kind, if there is one."""
        return next((act for act in self.acts if act.kind is kind), None)


@dataclass(frozen=True, slots=True)
class Times:
    """When the last line was received, and what followed."""

    line: datetime
    finding: datetime
    decided: datetime
    acted: datetime | None = None
