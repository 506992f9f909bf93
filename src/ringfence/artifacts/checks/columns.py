"""Which column is what: label, text, identifiers, keys; given by a person, the text otherwise found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ringfence.artifacts.checks.cells import number_of
from ringfence.artifacts.checks.masking import quoted
from ringfence.artifacts.checks.model import Row, Value
from ringfence.kernel.errors import UsageError

LOOKED_AT = 500  # rows from which the columns are judged
_IDENTIFIERS = frozenset({"id", "_id", "uuid", "index", "row_id"})  # unless the policy names others
_TEXT_WORDS = 4.0  # a column of text has at least so many words on average


@dataclass(frozen=True, slots=True)
class Roles:
    """What each column is for."""

    label: str = ""
    text: str = ""
    identifiers: frozenset[str] = frozenset()  # say nothing about the content: left out where contents are compared
    keys: tuple[str, ...] = ()  # what no two splits may share: a patient, a customer, a document

    def label_of(self, row: Row) -> Value:
        """Return the label of a row."""
        return row.cells.get(self.label) if self.label else None

    def text_of(self, row: Row) -> str:
        """Return the text of a row, empty where it has none."""
        value = row.cells.get(self.text) if self.text else None
        return value if isinstance(value, str) else ""

    def content(self, row: Row) -> str:
        """Return everything that a model could learn from, in one text; not the label."""
        left = self.identifiers
        return "\x1f".join(
            f"{name}\x1e{value}" for name, value in sorted(row.cells.items()) if name != self.label and name not in left
        )

    def features(self) -> frozenset[str]:
        """Return the columns that are no features."""
        return self.identifiers | {self.label, self.text} | frozenset(self.keys)


def settle(roles: Roles, rows: Sequence[Row]) -> Roles:
    """Return the roles, with text and identifiers found where none were given.

    Raises:
        UsageError: a column that was named is in no record.
    """
    present = {name for row in rows for name in row.cells}
    for name in sorted({roles.label, roles.text, *roles.identifiers, *roles.keys} - {""}):
        if rows and name not in present:
            raise UsageError(
                f"no record has a column {quoted(name)}; there are {', '.join(map(quoted, sorted(present)[:12]))}"
            )
    if not roles.identifiers:
        roles = replace(roles, identifiers=frozenset(name for name in present if name.lower() in _IDENTIFIERS))
    if roles.text:
        return roles
    candidates = present - roles.features()
    words = {name: _mean_words([row.cells.get(name) for row in rows]) for name in candidates}
    best = max(sorted(words), key=words.__getitem__, default="")
    if best and words[best] >= _TEXT_WORDS:
        return replace(roles, text=best)
    return roles


def _mean_words(values: Sequence[Value]) -> float:
    texts = [value for value in values if isinstance(value, str)]
    return sum(len(text.split()) for text in texts) / len(values) if texts else 0.0


def numeric(rows: Sequence[Row], left_out: frozenset[str]) -> Mapping[str, list[float | None]]:
    """Return the columns of numbers: those whose cells, where there are any, are finite numbers in 99 of 100 rows."""
    names = sorted({name for row in rows for name in row.cells} - left_out)
    found: dict[str, list[float | None]] = {}
    for name in names:
        values = [number_of(row.cells.get(name)) for row in rows]
        filled = sum(row.cells.get(name) is not None for row in rows)
        if filled and sum(value is not None for value in values) >= 0.99 * filled:
            found[name] = values
    return found
