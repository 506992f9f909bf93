"""Which records, and how much of the status, a customer is handed. Pure.

A record is in full where it speaks of something of this customer and of nothing of another one. What is shared by two
customers is shown to neither: it stays as a digest, and whoever wants it asks for it by name. Of what one customer gave
up and another one has now, the records until then are the first one's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ringfence.customers import inheriting, register, statements
from ringfence.customers.model import Customer, CustomerId, Register, ThingKind
from ringfence.kernel.statement import Statement
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations.model import Catalog

_PEOPLE = ("customer", "customers")
_KEPT = ("id", "title", "requirement", "state", "reason", "weakest_strength", "keys", "does_not_prove")
_KEPT_OF_RULE = ("id", "asks", "state", "reason", "evidence", "strength", "weakest_strength")
_HEAD = ("as_of", "rules", "tenant", "demo", "anchored_outside_until")
NOTE = (
    "The status of controls that reach this customer, without names: what a status rests on is named where the record "
    "is in this pack in full, and counted otherwise. It cannot be computed again from this pack."
)


@dataclass(frozen=True, slots=True)
class Share:
    """What one customer is shown: words that name it or its things, and words that name those of others."""

    customer: CustomerId
    controls: tuple[str, ...]
    mine: frozenset[str]
    others: frozenset[str]
    shown: frozenset[int]  # entries
    earlier: tuple[tuple[int, frozenset[str]], ...] = ()  # words of what others had until an entry

    def shows(self, logged: LoggedStatement) -> bool:
        """Tell whether a record is in full."""
        statement = logged.envelope.statement
        others = self.others.union(*(words for until, words in self.earlier if logged.entry < until))
        return _speaks_of(statement, self.mine) and not _foreign(statement, self.customer, others)

    def reduced(self, status: Mapping[str, Any]) -> dict[str, Any]:
        """Return the status line of the pack: nothing that names what is another's."""
        wanted = [control for control in status["controls"] if control["id"] in self.controls]
        head = {name: status[name] for name in _HEAD if name in status}
        # Rows of overrides hold reasons and owners in the team's own words.
        overrides = status.get("overrides")
        return head | {
            "for": self.customer,
            "overrides_digest": overrides["digest"] if overrides else None,
            "note": NOTE,
            "controls": [_control(control, self.shown) for control in wanted],
        }


def sharing(name: CustomerId, catalog: Catalog, logged: Sequence[LoggedStatement]) -> Share:
    """Return the share of a customer, as a log that ends with these statements has it; raise `NotFound`."""
    known = register.fold(one for one in logged if one.envelope.statement.predicate in statements.EVERYTHING)
    one = known.one(name)
    mine, others = _words(known, one)
    mine, others = _named(mine, logged), _named(others, logged)
    earlier = tuple((until, _named(words, logged)) for until, words in _earlier(known, one))
    reached = tuple(sorted(inheriting.reached(catalog.controls, one)))
    found = Share(name, reached, mine - others, others, frozenset(), earlier)
    return replace(found, shown=frozenset(item.entry for item in logged if found.shows(item)))


def _words(known: Register, one: Customer) -> tuple[frozenset[str], frozenset[str]]:
    others: set[str] = set()
    for other in known.everybody.values():
        if other.id != one.id:
            others |= _of(other) | {name.partition("/")[2] for name in other.things}
    opaque = {name.partition("/")[2] for name in one.things if not name.startswith(f"{ThingKind.DEPLOYMENT}/")}
    return frozenset(_of(one) | opaque), frozenset(others)


def _earlier(known: Register, one: Customer) -> Iterator[tuple[int, frozenset[str]]]:
    for other in known.everybody.values():
        for thing, until in other.given_up.items() if other.id != one.id else ():
            yield until, frozenset({thing, thing.partition("/")[2]})


def _of(one: Customer) -> set[str]:
    return {*one.things, one.id, statements.subject(one.id).name}


def _named(words: frozenset[str], logged: Iterable[LoggedStatement]) -> frozenset[str]:
    """Return the words with what else names the same things: subjects of their own statements, and their digests."""
    more = set(words)
    for one in logged:
        statement = one.envelope.statement
        kind = statement.predicate.partition(".")[0]
        own = {f"{kind}/{statement.claims.get(kind)}"}
        for subject in statement.subjects:
            if subject.name in words or (own & words and subject.name.startswith(f"{kind}/")):
                more |= {subject.name, str(subject.digest), subject.digest.hex}
    return frozenset(more)


def _speaks_of(statement: Statement, words: frozenset[str]) -> bool:
    """Tell whether a statement is about one of these, or names one; registers of the whole tenant name everything."""
    if not words.isdisjoint(_subjects(statement)):
        return True
    whole = f"/{statement.issuance.tenant}"
    if any(subject.name.endswith(whole) for subject in statement.subjects):
        return False
    return not words.isdisjoint(_leaves("", statement.claims))


def _foreign(statement: Statement, customer: CustomerId, others: frozenset[str]) -> bool:
    """Tell whether a statement names another customer, or what is another's."""
    if not others.isdisjoint((*_subjects(statement), *_leaves("", statement.claims))):
        return True
    named = [str(name) for key in _PEOPLE for name in _listed(statement.claims.get(key))]
    return any(name != customer for name in named)


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def _subjects(statement: Statement) -> Iterator[str]:
    for subject in statement.subjects:
        yield from (subject.name, str(subject.digest), subject.digest.hex)


def _leaves(key: str, value: object) -> Iterator[str]:
    """Yield every word by which claims name something: itself, and as a thing of the kind that its key says."""
    match value:
        case str():
            yield value
            yield f"{key.removesuffix('s')}/{value}"
        case Mapping():
            for name, inner in value.items():
                yield str(name)
                yield f"{key.removesuffix('s')}/{name}"
                yield from _leaves(str(name), inner)
        case list() | tuple():
            for inner in value:
                yield from _leaves(key, inner)
        case _:
            return  # numbers and truth values name nothing


def _control(control: Mapping[str, Any], shown: frozenset[int]) -> dict[str, Any]:
    return {name: control[name] for name in _KEPT} | {
        "requirements": [_rule(part, shown) for part in control["requirements"]]
    }


def _rule(part: Mapping[str, Any], shown: frozenset[int]) -> dict[str, Any]:
    named = [one for one in part["rests_on"] if one["entry"] in shown]
    return {name: part[name] for name in _KEPT_OF_RULE} | {
        "rests_on": named,
        "rests_on_others": len(part["rests_on"]) - len(named),
    }
