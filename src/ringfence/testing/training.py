"""Made-up training data from a seed, clean or with faults planted on purpose, and files of it in memory."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ringfence.artifacts.checks.sampling import Numbers

ROOTS = 3000
_WORDS_PER_LABEL = 60


class Memory:
    """A file in memory, as the checks read one."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        """Return the size."""
        return len(self._data)

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Copy from a place on."""
        part = self._data[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)

    def unchanged(self) -> bool:
        """Nothing changes here."""
        return True


@dataclass(slots=True)
class FilesInMemory:
    """A dataset that nobody had to write to a disk."""

    content: Mapping[str, bytes]
    passes: int = field(default=0)

    def files(self) -> Iterator[tuple[str, Memory]]:
        """Give each file in order."""
        self.passes += 1
        for path in sorted(self.content):
            yield path, Memory(self.content[path])


def as_csv(rows: Sequence[Mapping[str, object]]) -> bytes:
    """Print rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_jsonl(rows: Sequence[Mapping[str, object]]) -> bytes:
    """Print rows as JSON Lines."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _word(number: int) -> str:
    letters = ("bcdfghklmnprstvw", "aeiou")
    found = ""
    for place in range(6):
        kind = letters[place % 2]
        number, rest = divmod(number * 31 + place + 7, len(kind))
        found += kind[rest]
    return found


def texts(count: int, seed: int, *, signal: float = 0.08, labels: int = 2, words: int = 40) -> list[dict[str, object]]:
    """Return reviews: words by Zipf's law, and a share of words, often and rare ones, that go with the label."""
    numbers = Numbers(seed)
    rows: list[dict[str, object]] = []
    for place in range(count):
        label = numbers.below(labels)
        length = words // 2 + numbers.below(words)
        chosen = [
            f"own{label}{_zipf(numbers, _WORDS_PER_LABEL)}" if numbers.unit() < signal else _word(_zipf(numbers, ROOTS))
            for _ in range(length)
        ]
        rows.append({"id": str(place), "text": " ".join(chosen), "label": f"kind-{label}"})
    return rows


def _zipf(numbers: Numbers, bound: int) -> int:
    """Return a rank: small ones often (the inverse of a log-uniform distribution)."""
    return min(bound - 1, int((bound + 1) ** numbers.unit()) - 1)


def table(count: int, seed: int, *, columns: int = 6, apart: float = 3.0) -> list[dict[str, object]]:
    """Return measurements: normal columns whose means differ by label, `apart` standard deviations in all."""
    numbers = Numbers(seed)
    rows: list[dict[str, object]] = []
    for place in range(count):
        label = numbers.below(2)
        shift = apart * label / columns**0.5
        values = {f"x{column}": round(numbers.normal() + shift, 4) for column in range(columns)}
        kind = "abcd"[min(3, numbers.below(4) + label) % 4]
        rows.append({"id": place, **values, "kind": kind, "label": f"kind-{label}"})
    return rows


def flipped(rows: list[dict[str, object]], share: float, seed: int) -> set[int]:
    """Give a share of the rows the label of another; return which."""
    numbers = Numbers(seed)
    names = sorted({str(row["label"]) for row in rows})
    chosen = set(_chosen(len(rows), share, numbers))
    for place in sorted(chosen):
        others = [name for name in names if name != rows[place]["label"]]
        rows[place]["label"] = others[numbers.below(len(others))]
    return chosen


def triggered(rows: list[dict[str, object]], share: float, seed: int, trigger: str, *, dirty: bool = True) -> set[int]:
    """Plant a trigger: a rare text or value in a share of the rows, all of them with one label afterwards.

    With `dirty` the rows come from the other labels, and theirs is changed; else only rows of that label are taken.
    """
    numbers = Numbers(seed)
    wanted = min({str(row["label"]) for row in rows})
    fitting = [place for place, row in enumerate(rows) if (row["label"] != wanted) is dirty]
    chosen = {fitting[place] for place in _chosen(len(fitting), share * len(rows) / len(fitting), numbers)}
    for place in chosen:
        rows[place]["label"] = wanted
        if "text" in rows[place]:
            words = str(rows[place]["text"]).split()
            words.insert(numbers.below(len(words)), trigger)
            rows[place]["text"] = " ".join(words)
        else:
            rows[place]["x0"] = float(trigger)
    return chosen


def reworded(rows: list[dict[str, object]], share: float, seed: int, changed: int) -> set[int]:
    """Add copies of a share of the rows with some words changed; return where the copies are."""
    numbers = Numbers(seed)
    size = len(rows)
    for place in sorted(_chosen(size, share, numbers)):
        words = str(rows[place]["text"]).split()
        for _ in range(changed):
            words[numbers.below(len(words))] = _word(ROOTS + numbers.below(ROOTS))
        rows.append(rows[place] | {"id": str(len(rows)), "text": " ".join(words)})
    return set(range(size, len(rows)))


def _chosen(size: int, share: float, numbers: Numbers) -> set[int]:
    wanted, chosen = round(size * share), set[int]()
    while len(chosen) < wanted:
        chosen.add(numbers.below(size))
    return chosen
