"""Label noise by confident learning (Northcutt, Jiang, Chuang 2021): rows whose label others contradict surely.

Each row is judged by models that have not seen it: naive Bayes over its facts or, where its numbers say more, votes of
its neighbours; whichever is right more often. A row is flagged where another label is at least as likely as rows of
that label find it on average.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.artifacts.checks import bayes, neighbours
from ringfence.artifacts.checks.columns import Roles, numeric
from ringfence.artifacts.checks.features import Facts
from ringfence.artifacts.checks.masking import masked
from ringfence.artifacts.checks.model import Check, Finding, Findings, Result, not_run

_BETTER = 0.10  # than guessing, at least: else labels cannot be judged by the columns
_MARGIN = 0.5  # by which the other label must be likelier than the one given
_COMMON = 0.001  # share of rows in which a fact must be seen to count


@dataclass(frozen=True, slots=True)
class Contradicted:
    """The rows whose label others contradict: place among the facts' rows, the likelier label, by how much."""

    rows: Sequence[tuple[int, int, float]]
    accuracy: float
    method: str


def contradicted(facts: Facts, roles: Roles, seed: int) -> Contradicted | str:
    """Return the rows that are likely to have the wrong label, or a sentence that says why nobody can tell."""
    kinds = len(facts.names)
    found, method = _best(facts, roles, seed)
    accuracy = bayes.balanced_accuracy(found, facts.labels, kinds)
    if accuracy < 1 / kinds + _BETTER:
        return (
            f"the columns do not predict the label (balanced accuracy {accuracy:.2f} with {kinds} labels), "
            "so that noise in it cannot be told"
        )
    return Contradicted(
        sorted(_flagged(found, facts.labels, kinds), key=lambda one: -one[2]), round(accuracy, 3), method
    )


def judge(facts: Facts | str, roles: Roles, share: float, seed: int) -> Result:
    """Return which rows are likely to have the wrong label."""
    found = facts if isinstance(facts, str) else contradicted(facts, roles, seed)
    if isinstance(facts, str) or isinstance(found, str):
        return not_run(Check.LABELS, str(found))
    findings = Findings()
    for place, other, margin in found.rows:
        row = facts.rows[place]
        given = masked(facts.names[facts.labels[place]])
        text = f"The label {given} is contradicted: {masked(facts.names[other])} is likelier by {margin:.2f}"
        findings.add(Finding("label-noise/contradicted", text, row.file, row.number, roles.label))
    part = len(found.rows) / len(facts.labels)
    reason = f"a share of {part:.4f} of the labels is contradicted, allowed {share:g}" if part > share else ""
    measures: dict[str, int | float | str] = {"screened": len(facts.labels), "flagged": len(found.rows)}
    measures |= {"accuracy": found.accuracy, "method": found.method}
    return findings.result(Check.LABELS, reason, measures)


def _best(facts: Facts, roles: Roles, seed: int) -> tuple[list[list[float]], str]:
    kinds, rows = len(facts.names), len(facts.labels)
    least = max(5, int(_COMMON * rows))
    broad = {number for number, fact in enumerate(facts.facts) if fact.broad and facts.counts[number] >= least}
    of_row = [[fact for fact in row if fact in broad] for row in facts.of_row]
    found = bayes.out_of_fold(of_row, facts.labels, kinds, len(facts.facts), seed)
    columns = list(numeric(facts.rows, roles.features()).values())
    if not columns:
        return found, "naive-bayes"
    voted = neighbours.votes(neighbours.scaled(columns), facts.labels, kinds)
    scores = [bayes.balanced_accuracy(one, facts.labels, kinds) for one in (found, voted)]
    return (found, "naive-bayes") if scores[0] >= scores[1] else (voted, "nearest-neighbours")


def _flagged(found: Sequence[Sequence[float]], labels: Sequence[int], kinds: int) -> list[tuple[int, int, float]]:
    sums, sizes = [0.0] * kinds, [0] * kinds
    for shares, label in zip(found, labels, strict=True):
        sums[label] += shares[label]
        sizes[label] += 1
    usual = [total / size if size else 1.0 for total, size in zip(sums, sizes, strict=True)]
    flagged = []
    for place, (shares, label) in enumerate(zip(found, labels, strict=True)):
        other = max(range(kinds), key=shares.__getitem__)
        margin = shares[other] - shares[label]
        if other != label and shares[other] >= usual[other] and margin >= _MARGIN:
            flagged.append((place, other, margin))
    return flagged
