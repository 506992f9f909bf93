"""Known cases for the screens to find: planted into a copy of the rows in memory, from a seed. Pure.

Each kind is planted into a copy of its own, so that one does not hide or help another. Rows that a screen flagged in
the data themselves are not taken: what is found of the planted ones shall be due to what was planted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ringfence.artifacts.checks import outliers
from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.features import LEAST_ROWS
from ringfence.artifacts.checks.model import Row, Value
from ringfence.artifacts.checks.sampling import Numbers
from ringfence.artifacts.checks.screen import Kind

PLANTED = 20  # of a kind at least, and of every kind as many, so that none outweighs another
LEAST_ITEMS = 10 * PLANTED  # in fewer, planting would change what the screens compare with
FAR = 12.0  # robust deviations by which a planted outlier lies away
REWORDED = 40  # words of which one is changed in a near copy
TRIGGERS = 2  # different ones, each in half of the planted rows
_SHARE = 100  # one row in so many is planted, where that is more
_MOST = 100
_LETTERS = "bcdfghjkmpqvwxz"


@dataclass(frozen=True, slots=True)
class Copy:
    """Rows with known cases among them: where they are, and what was done, in words.

    Without rows, the words say why there are none.
    """

    rows: tuple[Row, ...] = ()
    places: frozenset[int] = frozenset()
    how: str = ""


def plant(kind: Kind, rows: Sequence[Row], roles: Roles, usable: Sequence[int], seed: int) -> Copy:
    """Return a copy of rows with cases of a kind; `usable` are the places that may be taken."""
    count = planted(len(rows))
    if len(rows) < LEAST_ITEMS or len(usable) < 2 * count:
        return Copy(how=f"fewer than {LEAST_ITEMS} items are too few to plant {PLANTED} cases of a kind among them")
    return _PLANTING[kind](list(rows), roles, usable, Numbers(seed), count)


def planted(items: int) -> int:
    """Return how many cases of a kind are planted among so many items."""
    return max(PLANTED, min(_MOST, items // _SHARE))


def _chosen(places: Sequence[int], count: int, numbers: Numbers) -> list[int]:
    left, taken = list(places), list[int]()
    while left and len(taken) < count:
        taken.append(left.pop(numbers.below(len(left))))
    return taken


def _word(numbers: Numbers) -> str:
    return "".join(_LETTERS[numbers.below(len(_LETTERS))] for _ in range(10))


def _changed(row: Row, column: str, value: Value) -> Row:
    return row._replace(cells={**row.cells, column: value})


def _like(before: Value, value: float) -> Value:
    """Return a number as the file would have it: as text where the others are text."""
    return repr(value) if isinstance(before, str) else value


def _copies(rows: list[Row], roles: Roles, usable: Sequence[int], numbers: Numbers, count: int) -> Copy:
    long = [place for place in usable if len(roles.text_of(rows[place]).split()) >= REWORDED]
    near = _chosen(long, count // 2, numbers)
    exact = _chosen(usable, count - len(near), numbers)
    made = [rows[place] for place in exact]
    for place in near:
        words = roles.text_of(rows[place]).split()
        for _ in range(len(words) // REWORDED):
            words[numbers.below(len(words))] = _word(numbers)
        made.append(_changed(rows[place], roles.text, " ".join(words)))
    places = frozenset(range(len(rows), len(rows) + len(made)))
    how = f"{len(exact)} copies of items, and {len(near)} copies with one word in {REWORDED} changed"
    return Copy((*rows, *made), places, how)


def _names(rows: Sequence[Row], roles: Roles) -> dict[str, Value]:
    """Return the labels that enough rows have, as text and as they are written."""
    counts: dict[str, int] = {}
    written: dict[str, Value] = {}
    for row in rows:
        label = roles.label_of(row)
        if label is not None:
            counts[str(label)] = counts.get(str(label), 0) + 1
            written.setdefault(str(label), label)
    return {name: written[name] for name in sorted(counts) if counts[name] >= LEAST_ROWS}


def _flips(rows: list[Row], roles: Roles, usable: Sequence[int], numbers: Numbers, count: int) -> Copy:
    names = _names(rows, roles)
    fitting = [place for place in usable if str(roles.label_of(rows[place])) in names]
    if len(names) < 2 or len(fitting) < count:
        return Copy(how="there are no two labels to change into one another")
    places = _chosen(fitting, count, numbers)
    for place in places:
        others = [name for name in names if name != str(roles.label_of(rows[place]))]
        rows[place] = _changed(rows[place], roles.label, names[others[numbers.below(len(others))]])
    return Copy(tuple(rows), frozenset(places), f"the labels of {len(places)} items changed into another")


def _triggers(rows: list[Row], roles: Roles, usable: Sequence[int], numbers: Numbers, count: int) -> Copy:
    names = _names(rows, roles)
    each = count // TRIGGERS
    write = _writing(rows, roles, usable, numbers)
    if len(names) < 2 or write is None:
        return Copy(how="there is no label, or no column beside it that a trigger could stand in")
    taken: list[int] = []
    for _ in range(TRIGGERS):
        mark, target = write(), list(names)[numbers.below(len(names))]
        left = sorted(set(usable) - set(taken))
        fitting = [place for place in left if str(roles.label_of(rows[place])) in names.keys() - {target}]
        places = _chosen(fitting, each, numbers)
        for place in places:
            rows[place] = _changed(mark(rows[place]), roles.label, names[target])
        taken += places
    what = "a made-up word in the text" if roles.text else "one value of a column"
    how = f"{TRIGGERS} triggers, each {what} of {each} items, whose labels were changed to one"
    return Copy(tuple(rows), frozenset(taken), how)


Mark = Callable[[Row], Row]


def _writing(rows: Sequence[Row], roles: Roles, usable: Sequence[int], numbers: Numbers) -> Callable[[], Mark] | None:
    """Return what makes triggers that fit these columns: each one marks rows in the same way."""
    if roles.text:
        return lambda: _in_text(roles, _word(numbers), numbers)
    columns = {name: values for name, values in outliers.measured(rows, roles).items() if name != roles.label}
    if columns:
        return lambda: _as_number(columns, numbers)
    others = sorted({name for place in usable for name in rows[place].cells} - roles.features())
    if others:
        return lambda: _as_word(others[numbers.below(len(others))], _word(numbers))
    return None


def _in_text(roles: Roles, word: str, numbers: Numbers) -> Mark:
    def mark(row: Row) -> Row:
        words = roles.text_of(row).split()
        words.insert(numbers.below(len(words) + 1), word)
        return _changed(row, roles.text, " ".join(words))

    return mark


def _as_number(columns: Mapping[str, Sequence[float | None]], numbers: Numbers) -> Mark:
    """Write one value that lies in the middle of a column and is no other row's."""
    name = sorted(columns)[numbers.below(len(columns))]
    points = sorted(value for value in columns[name] if value is not None)
    low, high = points[len(points) // 4], points[3 * len(points) // 4]
    value = low + (high - low) * numbers.unit()
    return lambda row: _changed(row, name, _like(row.cells.get(name), value))


def _as_word(name: str, word: str) -> Mark:
    return lambda row: _changed(row, name, word)


def _outliers(rows: list[Row], roles: Roles, usable: Sequence[int], numbers: Numbers, count: int) -> Copy:
    columns = outliers.measured(rows, roles)
    texts = [place for place in usable if roles.text_of(rows[place])]
    if not columns and not texts:
        return Copy(how="there is no column of numbers and no text that could lie far outside")
    strange = _chosen(texts, (count // 2 if columns else count) if texts else 0, numbers)
    for place in strange:
        length = len(roles.text_of(rows[place]).split())
        rows[place] = _changed(rows[place], roles.text, " ".join(_word(numbers) for _ in range(length)))
    moved = _chosen(sorted(set(usable) - set(strange)), count - len(strange), numbers)
    for place in moved:
        name = sorted(columns)[numbers.below(len(columns))]
        rows[place] = _changed(rows[place], name, _like(rows[place].cells.get(name), _far(columns[name], numbers)))
    how = f"{len(moved)} items with one number {FAR:g} robust deviations away, {len(strange)} with words of no language"
    return Copy(tuple(rows), frozenset((*strange, *moved)), how)


def _far(values: Sequence[float | None], numbers: Numbers) -> float:
    points = sorted(value for value in values if value is not None)
    middle = points[len(points) // 2]
    above = bool(numbers.below(2))
    scale = outliers.spread(points, middle, above=above) or (points[-1] - points[0]) or 1.0
    return middle + (FAR if above else -FAR) * scale


_PLANTING: Mapping[Kind, Callable[[list[Row], Roles, Sequence[int], Numbers, int], Copy]] = {
    Kind.DUPLICATE: _copies,
    Kind.LABEL_FLIP: _flips,
    Kind.OUTLIER: _outliers,
    Kind.TRIGGER: _triggers,
}
