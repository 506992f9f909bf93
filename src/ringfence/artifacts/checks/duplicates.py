"""Duplicates: rows whose content is there again, and texts that are nearly those of another row of the same split."""

from ringfence.artifacts.checks.likeness import Likeness, Pair
from ringfence.artifacts.checks.masking import quoted
from ringfence.artifacts.checks.model import Check, Finding, Findings, Result


def judge(found: Likeness, near: list[Pair], share: float, near_share: float, conflict_share: float) -> Result:
    """Return what is there twice in one split, and which contents have two labels."""
    findings = Findings()
    again = conflicts = 0
    for group in found.exact():
        if found.conflicting(group):
            conflicts += len(group)
            _add(findings, found, "conflicting-labels", "Content with more than one label", group[0], group[-1])
        seen: dict[str, int] = {}
        for place in group:
            earlier = seen.setdefault(found.split(place), place)
            if earlier != place:
                again += 1
                _add(findings, found, "exact", "The content is there again", earlier, place)
    alike = {pair.second: pair for pair in near if found.split(pair.first) == found.split(pair.second)}
    for pair in alike.values():
        text = f"The text is nearly (similarity {pair.similarity:.2f}) that"
        _add(findings, found, "near", text, pair.first, pair.second)
    rows = len(found) or 1
    shares = {
        "exact": (again / rows, share),
        "near": (len(alike) / rows, near_share),
        "conflicting": (conflicts / rows, conflict_share),
    }
    measures = {"rows": len(found), "exact": again, "near": len(alike), "conflicting": conflicts}
    return findings.result(Check.DUPLICATES, _reason(shares, found), measures)


def repeated(found: Likeness, near: list[Pair]) -> set[int]:
    """Return the places of rows that repeat an earlier one of their split, or whose content has two labels."""
    places = {pair.second for pair in near if found.split(pair.first) == found.split(pair.second)}
    for group in found.exact():
        seen: dict[str, int] = {}
        places |= {place for place in group if seen.setdefault(found.split(place), place) != place}
        if found.conflicting(group):
            places.update(group)
    return places


def _reason(shares: dict[str, tuple[float, float]], found: Likeness) -> str:
    over = [
        f"{kind}: a share of {share:.4f}, allowed {bound:g}" for kind, (share, bound) in shares.items() if share > bound
    ]
    if not found.near_whole:
        over.append("near duplicates were not looked for in every row: there are too many rows or candidates")
    return "; ".join(over)


def _add(findings: Findings, found: Likeness, kind: str, text: str, earlier: int, place: int) -> None:
    file, number = found.where(place)
    first_file, first_number = found.where(earlier)
    where = f"row {first_number}" if first_file == file else f"row {first_number} of {quoted(first_file)}"
    joined = f"{text}: it stands in {where} too" if kind != "near" else f"{text} of {where}"
    findings.add(Finding(f"duplicates/{kind}", joined, file, number))
