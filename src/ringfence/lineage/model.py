"""What lineage is made of: things by their digests, links that each rest on a statement, and what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PredicateName

MAX_SHOWN = 400  # things in one view: beyond it a person sees nothing any more
MAX_WALKED = 20_000  # things that one question may touch


class Kind(StrEnum):
    """What a thing is."""

    DATASET = "dataset"  # one epoch, by the digest of its seal
    RUN = "run"
    MODEL = "model"  # names and files, by their manifest's digest; or one file, by its own; signed or not
    EVALUATION = "evaluation"
    DECISION = "decision"
    DEPLOYMENT = "deployment"


class Relation(StrEnum):
    """What a link says of its two ends; it leads from what was there first."""

    INPUT = "input"  # dataset → run
    BASE = "base"  # model → run
    OUTPUT = "output"  # run → model
    EVALUATED = "evaluated"  # model → evaluation
    DECIDED = "decided"  # model → decision
    SERVED = "served"  # model → deployment


class Role(StrEnum):
    """What one statement says of one thing by itself."""

    SEALED = "sealed"
    CHECKED = "checked"
    ERASED = "erased"
    RAN = "ran"
    SIGNED = "signed"
    QUARANTINED = "quarantined"
    IMPORTED = "imported"  # and, where it lay in quarantine, let out by a person
    SCANNED = "scanned"
    LISTED = "listed"  # a bill of materials
    EVALUATED = "evaluated"
    DECIDED = "decided"
    DEPLOYED = "deployed"
    ENDED = "ended"


class GapKind(StrEnum):
    """What is missing, or does not fit."""

    INPUT_UNSTATED = "input-unstated"
    NO_INPUTS = "no-inputs"
    DATASET_ERASED = "dataset-erased"
    NO_ORIGIN = "no-origin"
    ORIGIN_REFUSED = "origin-refused"
    UNSIGNED = "unsigned"
    RUN_NOT_COMPLETED = "run-not-completed"
    CODE_UNKNOWN = "code-unknown"
    CODE_CHANGED = "code-changed"
    OUTPUTS_LEFT_OUT = "outputs-left-out"
    FOREIGN_WORD = "foreign-word"
    UNCOUNTED = "uncounted"
    DIGEST_DECLARED = "digest-declared"
    NO_DIGEST = "no-digest"
    DEPLOYMENT_UNSTATED = "deployment-unstated"
    DIGEST_CONFLICT = "digest-conflict"
    TWO_ORIGINS = "two-origins"
    SEAL_CONFLICT = "seal-conflict"
    CYCLE = "cycle"
    TOO_LARGE = "too-large"


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A thing, named by its digest."""

    kind: Kind
    digest: Digest

    def __hash__(self) -> int:
        return hash(self.digest.value)  # digests are as good as random, and this is asked millions of times

    def __str__(self) -> str:
        return f"{self.kind}:{self.digest.hex}"

    @classmethod
    def parse(cls, text: object) -> "Ref":
        """Parse `KIND:<64 hexadecimal digits>`."""
        kind, colon, digits = text.partition(":") if isinstance(text, str) else ("", "", "")
        if not colon or kind not in set(Kind):
            raise MalformedInput(f"{str(text)[:80]!r} is not a kind, a colon and a digest")
        return cls(Kind(kind), Digest.parse(digits))


@dataclass(frozen=True, slots=True)
class Basis:
    """The statement that something rests on."""

    entry: int
    envelope: Digest
    predicate: PredicateName
    strength: str
    recorded_at: datetime
    flaw: str = ""  # why no rule may count it; empty where it may
    foreign: bool = False  # it repeats what another system says

    @property
    def counts(self) -> bool:
        """Tell whether it is one of ours that rules may count."""
        return not self.flaw and not self.foreign


@dataclass(frozen=True, slots=True)
class Mark:
    """What one statement says of one thing by itself."""

    role: Role
    basis: Basis
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """Two things, and the statement that joins them."""

    source: Ref
    target: Ref
    relation: Relation
    basis: Basis


@dataclass(frozen=True, slots=True)
class Thing:
    """Everything that is stated of one thing, in the order of the log."""

    ref: Ref
    name: str  # opaque, as statements name it
    marks: tuple[Mark, ...] = ()
    before: tuple[Link, ...] = ()  # links that end here
    after: tuple[Link, ...] = ()  # links that begin here

    def marked(self, *roles: Role, counted: bool = True) -> list[Mark]:
        """Return what is said of it in some roles, of what counts or of everything."""
        return [mark for mark in self.marks if mark.role in roles and (mark.basis.counts or not counted)]


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is missing or does not fit, about a thing."""

    kind: GapKind
    about: Ref
    text: str  # a sentence
    entries: tuple[int, ...] = ()  # of the statements that it was seen by

    @property
    def order(self) -> tuple[Ref, GapKind, str]:
        """Return by what gaps are sorted, so that the same statements give the same list."""
        return self.about, self.kind, self.text


@dataclass(frozen=True, slots=True)
class Closure:
    """Everything that one thing comes from, and what is missing of it.

    `ends` are things that came from outside: what was before them is not known here, and an import says who vouches.
    """

    start: Ref
    things: tuple[Ref, ...]
    links: tuple[Link, ...]
    gaps: tuple[Gap, ...]
    ends: tuple[Ref, ...] = ()

    @property
    def closed(self) -> bool:
        """Tell whether every link down to sealed data and imports is stated, and nothing contradicts another."""
        return not self.gaps

    @property
    def entries(self) -> tuple[int, ...]:
        """Return the statements that its links rest on."""
        return tuple(sorted({link.basis.entry for link in self.links}))

    def but(self, kinds: Sequence[GapKind]) -> tuple[Gap, ...]:
        """Return the gaps of other kinds than these."""
        return tuple(gap for gap in self.gaps if gap.kind not in kinds)
