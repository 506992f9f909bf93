"""What the board of threats needs from outside: what a tenant holds, and how attacks on it went."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ringfence.kernel.identifier import Tenant
from ringfence.obligations.threats.register import AssetKind


@dataclass(frozen=True, slots=True)
class Asset:
    """A thing that a tenant holds."""

    kind: AssetKind
    name: str
    link: str


@dataclass(frozen=True, slots=True)
class Bound:
    """How often one family of attacks succeeded at most, in the newest run that tried it."""

    family: str
    words: str  # with its confidence and its count, never a bare share
    mark: str
    entry: int


Assets = Callable[[Tenant], Sequence[Asset]]  # what a tenant holds now, by kind and name
Bounds = Callable[[Tenant], Sequence[Bound]]  # the newest bound of each family
