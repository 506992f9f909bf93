"""Leakage between splits: the same content, nearly the same text, or the same key in more than one of them."""

from itertools import combinations

from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.likeness import Likeness, Pair
from ringfence.artifacts.checks.masking import quoted
from ringfence.artifacts.checks.model import Check, Finding, Findings, Result, Row, not_run
from ringfence.artifacts.checks.shingles import fingerprint


class Keys:
    """The values of the key columns, by split."""

    def __init__(self, roles: Roles, seed: int) -> None:
        self._keys, self._seed = roles.keys, seed
        self._seen: dict[tuple[str, str], set[int]] = {}

    def see(self, row: Row) -> None:
        """Look at the next row."""
        for key in self._keys:
            value = row.cells.get(key)
            if value is not None:
                self._seen.setdefault((key, row.split), set()).add(fingerprint(str(value), self._seed))

    def shared(self) -> list[tuple[str, str, str, int]]:
        """Return column, two splits, and how many values both of them hold."""
        found = []
        for key in self._keys:
            splits = sorted(split for column, split in self._seen if column == key)
            for first, second in combinations(splits, 2):
                both = len(self._seen[key, first] & self._seen[key, second])
                if both:
                    found.append((key, first, second, both))
        return found


def judge(found: Likeness, near: list[Pair], keys: Keys, allowed: float) -> Result:
    """Return which rows of a split are in another one too."""
    if len(found.splits) < 2:
        return not_run(Check.LEAKAGE, "there is one split only; name them: --split train=… --split test=…")
    findings = Findings()
    exact = _exact(found, findings)
    close = _close(found, near, exact, findings)
    shared = keys.shared()
    for key, first, second, count in shared:
        text = f"Splits {quoted(first)} and {quoted(second)} share {count} values of key {quoted(key)}"
        findings.add(Finding("leakage/key", text, column=key))
    share = len(exact | close) / (len(found) or 1)
    reasons = {
        f"a share of {share:.4f} of the rows is in two splits, allowed {allowed:g}": share > allowed,
        "splits share values of a key": bool(shared),
        "near copies were not looked for in every row: there are too many rows or candidates": not found.near_whole,
    }
    reason = "; ".join(text for text, holds in reasons.items() if holds)
    measures = {"splits": len(found.splits), "exact": len(exact), "near": len(close), "keys": len(shared)}
    return findings.result(Check.LEAKAGE, reason, measures)


def _exact(found: Likeness, findings: Findings) -> set[int]:
    places = set()
    for group in found.exact():
        for place in group[1:]:
            if found.split(place) != found.split(group[0]):
                places.add(place)
                _add(findings, found, "exact", "The content", group[0], place)
    return places


def _close(found: Likeness, near: list[Pair], exact: set[int], findings: Findings) -> set[int]:
    places = set()
    for pair in near:
        if (
            found.split(pair.first) != found.split(pair.second)
            and pair.second not in exact
            and pair.second not in places
        ):
            places.add(pair.second)
            _add(
                findings, found, "near", f"Nearly (similarity {pair.similarity:.2f}) the text", pair.first, pair.second
            )
    return places


def _add(findings: Findings, found: Likeness, kind: str, what: str, first: int, place: int) -> None:
    file, number = found.where(place)
    other, row = found.where(first)
    splits = f"of this row of split {quoted(found.split(place))} is in {quoted(found.split(first))}"
    text = f"{what} {splits}: row {row} of {quoted(other)}"
    findings.add(Finding(f"leakage/{kind}", text, file, number))
