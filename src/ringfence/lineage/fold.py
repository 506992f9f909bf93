"""Statements folded into things and links. Immutable: `extended` shares what did not change. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant
from ringfence.ledger.model import LoggedStatement
from ringfence.lineage.model import Kind, Link, Mark, Ref, Role, Thing
from ringfence.lineage.reading import read
from ringfence.obligations.records import Records

Epoch = tuple[str, int]


@dataclass(slots=True)
class _More:
    """What newer statements say of one thing."""

    name: str = ""
    marks: list[Mark] = field(default_factory=list)
    before: list[Link] = field(default_factory=list)
    after: list[Link] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Lineage:
    """What the log says of one tenant's things and of how they hang together."""

    tenant: Tenant
    demo: bool
    things: Mapping[Ref, Thing] = field(default_factory=dict)
    seals: Mapping[Epoch, tuple[Digest, ...]] = field(
        default_factory=dict
    )  # of each epoch: more than one is a conflict
    last: int = -1  # the newest entry seen

    @classmethod
    def of(cls, tenant: Tenant, statements: Iterable[LoggedStatement], *, demo: bool = False) -> "Lineage":
        """Fold statements, given in any order and any number of times."""
        return cls(tenant, demo).extended(statements)

    def extended(self, statements: Iterable[LoggedStatement]) -> "Lineage":
        """Return this lineage with the newer ones among `statements`; those of other tenants are left out."""
        new = {one.entry: one for one in statements if one.entry > self.last}
        flaw = Records(self.tenant, self.demo).flaw
        changed: dict[Ref, _More] = {}
        for entry in sorted(new):
            if new[entry].envelope.statement.issuance.tenant == self.tenant:
                _take(changed, new[entry], flaw)
        return self._with(changed, max(new, default=self.last)) if new else self

    def thing(self, ref: Ref) -> Thing:
        """Return what is stated of a thing: nothing, where only others name it, or nobody does."""
        return self.things.get(ref) or Thing(ref, "")

    def find(self, kind: Kind, text: str) -> list[Ref]:
        """Return the things of a kind that a name, or the first digits of a digest, leads to, in log order."""
        digits = text.removeprefix("sha256:").lower()
        is_digest = len(digits) >= 8 and not set(digits) - set("0123456789abcdef")
        return [
            ref
            for ref, thing in self.things.items()
            if ref.kind is kind and (thing.name == text or (is_digest and ref.digest.hex.startswith(digits)))
        ]

    def of_kind(self, kind: Kind) -> Iterator[Thing]:
        """Yield every thing of a kind."""
        return (thing for ref, thing in self.things.items() if ref.kind is kind)

    def _with(self, changed: Mapping[Ref, _More], last: int) -> "Lineage":
        things, seals = dict(self.things), dict(self.seals)
        for ref, more in changed.items():
            known = things.get(ref)
            if known is None:
                things[ref] = Thing(ref, more.name, tuple(more.marks), tuple(more.before), tuple(more.after))
            else:
                things[ref] = replace(
                    known,
                    name=known.name or more.name,
                    marks=(*known.marks, *more.marks),
                    before=(*known.before, *more.before),
                    after=(*known.after, *more.after),
                )
            for epoch in _epochs(more.marks):
                before = seals.get(epoch, ())
                seals[epoch] = before if ref.digest in before else (*before, ref.digest)
        return Lineage(self.tenant, self.demo, things, seals, last)


def _take(changed: dict[Ref, _More], logged: LoggedStatement, flaw: Callable[[LoggedStatement], str | None]) -> None:
    said = read(logged, flaw(logged))
    for ref, name, mark in said.marks:
        more = changed.setdefault(ref, _More())
        more.name = more.name or name
        more.marks.append(mark)
    for link in said.links:
        changed.setdefault(link.source, _More()).after.append(link)
        changed.setdefault(link.target, _More()).before.append(link)


def _epochs(marks: Iterable[Mark]) -> Iterator[Epoch]:
    for mark in marks:
        if mark.role is Role.SEALED and mark.basis.counts:
            dataset, epoch = mark.facts.get("dataset"), mark.facts.get("epoch")
            if isinstance(dataset, str) and isinstance(epoch, int):
                yield dataset, epoch
