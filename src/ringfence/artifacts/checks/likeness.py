"""Which rows are like which others: exactly by content, nearly by text. Two passes over the rows.

The first pass keeps some 130 bytes a row; the second looks again at the candidates only, and compares their word
triples exactly, so that a pair is reported because it is that similar and not because two hashes agree.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.model import Row
from ringfence.artifacts.checks.shingles import BANDS, bands, fingerprint, jaccard, triples
from ringfence.artifacts.checks.tally import Repeats

MAX_NEAR = 2_000_000  # rows among which near duplicates are looked for
MAX_PAIRS = 200_000
_SHORT = 2  # shingles; below, a text is too short to be nearly anything


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows that are alike, the earlier one first."""

    first: int
    second: int
    similarity: float


class _Numbered:
    """Names, each kept once."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        found = self._numbers.setdefault(name, len(self.names))
        if found == len(self.names):
            self.names.append(name)
        return found


class Likeness:
    """Collect what is needed to find rows that are alike."""

    def __init__(self, roles: Roles, seed: int, similarity: float) -> None:
        self._roles, self._seed, self._similarity = roles, seed, similarity
        self.content, self._texts = Repeats(), Repeats()
        self._labels = array("Q")
        self._bands = [array("I") for _ in range(BANDS)]
        self._near = array("Q")  # which row each entry of the bands is
        self._files, self._splits = _Numbered(), _Numbered()
        self._place = (array("I"), array("Q"), array("I"))
        self._pairs: set[tuple[int, int]] | None = None
        self._wanted: dict[int, frozenset[int]] = {}
        self.near_whole = True

    def see(self, row: Row) -> None:
        """Look at a row for the first time."""
        place = len(self.content.values)
        self.content.add(fingerprint(self._roles.content(row), self._seed))
        self._labels.append(fingerprint(str(self._roles.label_of(row)), self._seed))
        self._place[0].append(self._files.number(row.file))
        self._place[1].append(row.number)
        self._place[2].append(self._splits.number(row.split))
        text = self._roles.text_of(row)
        self._texts.add(fingerprint(text, self._seed) if text else 0)
        if not text:
            return
        found = triples(text)
        if len(found) <= _SHORT:
            return
        if len(self._near) >= MAX_NEAR:
            self.near_whole = False
            return
        self._near.append(place)
        for kept, band in zip(self._bands, bands(found, self._seed), strict=True):
            kept.append(band)

    def candidates(self) -> bool:
        """Find the pairs to compare, and tell whether there are any; then every row is to be seen again."""
        self._pairs = set()
        for band in self._bands:
            if len(self._pairs) >= MAX_PAIRS:
                self.near_whole = False
                break
            order = sorted(range(len(band)), key=band.__getitem__)
            leader = last = -1
            for entry in order:
                if last >= 0 and band[entry] == band[last]:
                    self._propose(leader, entry)
                    self._propose(last, entry)
                else:
                    leader = entry
                last = entry
        self._wanted = dict.fromkeys((place for pair in self._pairs for place in pair), frozenset())
        return bool(self._pairs)

    def _propose(self, entry: int, other: int) -> None:
        first, second = sorted((self._near[entry], self._near[other]))
        if first != second and self._texts.values[first] != self._texts.values[second] and self._pairs is not None:
            self._pairs.add((first, second))

    def see_again(self, place: int, row: Row) -> None:
        """Look at a row for the second time."""
        if place in self._wanted:
            self._wanted[place] = frozenset(triples(self._roles.text_of(row)))

    def near(self) -> list[Pair]:
        """Return the pairs of texts that are at least as similar as asked for, and not equal."""
        found = (Pair(a, b, jaccard(set(self._wanted[a]), set(self._wanted[b]))) for a, b in sorted(self._pairs or ()))
        return [pair for pair in found if pair.similarity >= self._similarity]

    def exact(self) -> Iterator[list[int]]:
        """Yield the groups of rows with one content."""
        twice = self.content.twice()
        groups: defaultdict[int, list[int]] = defaultdict(list)
        for place, value in enumerate(self.content.values):
            if value in twice:
                groups[value].append(place)
        yield from groups.values()

    def conflicting(self, group: list[int]) -> bool:
        """Tell whether rows of one content have different labels."""
        return len({self._labels[place] for place in group}) > 1

    def where(self, place: int) -> tuple[str, int]:
        """Return file and row number of a row."""
        return self._files.names[self._place[0][place]], self._place[1][place]

    def split(self, place: int) -> str:
        """Return the split of a row."""
        return self.splits[self._place[2][place]]

    @property
    def splits(self) -> list[str]:
        """Return every split that was seen."""
        return self._splits.names

    def __len__(self) -> int:
        return len(self.content.values)
