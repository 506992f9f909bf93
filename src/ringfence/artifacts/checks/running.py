"""Run every check over the rows of a dataset: once through, and again where texts have to be compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ringfence.artifacts.checks import drift, duplicates, features, labels, leakage, outliers, triggers
from ringfence.artifacts.checks.columns import LOOKED_AT, Roles, settle
from ringfence.artifacts.checks.credentials import SecretsCheck
from ringfence.artifacts.checks.likeness import Likeness
from ringfence.artifacts.checks.model import Check, Level, Outcome, Result, Row, not_run
from ringfence.artifacts.checks.personal import PersonalCheck
from ringfence.artifacts.checks.policy import Policy
from ringfence.artifacts.checks.ports import Files
from ringfence.artifacts.checks.profile import Profile, take
from ringfence.artifacts.checks.reading import Read, Splits, first, rows
from ringfence.artifacts.checks.report import ordered
from ringfence.artifacts.checks.sampling import Sample
from ringfence.artifacts.checks.schema import Schema, SchemaCheck
from ringfence.kernel.errors import UsageError


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be checked, and against what."""

    policy: Policy
    splits: Splits = field(default_factory=Splits)
    schema: Schema | None = None
    baseline: Profile | None = None
    signature: Result = field(default_factory=lambda: not_run(Check.SIGNATURE, "nobody looked for a signature or seal"))


@dataclass(frozen=True, slots=True)
class Checked:
    """Every result, and the profile that may be the next baseline."""

    results: Sequence[Result]
    profile: Profile
    rows: int
    files: int


def run(files: Files, order: Order) -> Checked:
    """Check a dataset.

    Raises:
        UsageError: a column that was named is not there.
        Unavailable: a format needs a library that is not installed.
    """
    policy = order.policy
    asked = Roles(policy.label, policy.text, policy.identifiers, policy.keys)
    roles = settle(asked, first(files, order.splits, LOOKED_AT))
    seen, sample = _Seen(order, roles), Sample(policy.sample, policy.seed)
    read = Read()
    for row in rows(files, order.splits, read):
        seen.see(row)
        sample.see(row)
    if seen.likeness.candidates():
        for place, row in enumerate(rows(files, order.splits, Read())):
            seen.likeness.see_again(place, row)
    kept = list(sample.rows())
    profile = take(kept, read.rows, roles.identifiers)
    found = {Check.FORMAT: read.result(policy.number(Check.FORMAT, "broken_share")), Check.SIGNATURE: order.signature}
    found |= seen.results() | _screens(kept, roles, order, profile)
    results = [_off(one) if policy.rules[one.check].level is Level.OFF else one for one in ordered(found)]
    return Checked(results, profile, read.rows, read.files)


def described(files: Files, order: Order) -> Profile:
    """Describe a dataset for comparison, and nothing else; raise `UsageError` where nothing in it can be read."""
    sample, read = Sample(order.policy.sample, order.policy.seed), Read()
    for row in rows(files, order.splits, read):
        sample.see(row)
    if not read.rows:
        raise UsageError("there is no record in what the data were to be compared with")
    kept = list(sample.rows())
    return take(kept, read.rows, settle(Roles(identifiers=order.policy.identifiers), kept[:LOOKED_AT]).identifiers)


def _off(result: Result) -> Result:
    return Result(result.check, Outcome.OFF, "the policy has it off")


class _Seen:
    """The checks that look at every row as it comes by."""

    def __init__(self, order: Order, roles: Roles) -> None:
        policy = order.policy
        self._policy = policy
        self.likeness = Likeness(roles, policy.seed, policy.number(Check.DUPLICATES, "similarity"))
        self._keys = leakage.Keys(roles, policy.seed)
        self._schema = SchemaCheck(order.schema, policy.seed) if order.schema else None
        rules = policy.rules
        self._personal = PersonalCheck(policy.number(Check.PERSONAL, "share"), rules[Check.PERSONAL].allow)
        self._secrets = SecretsCheck(rules[Check.SECRETS].allow)
        self._looking: list[Callable[[Row], None]] = [self.likeness.see, self._keys.see]
        if self._schema:
            self._looking.append(self._schema.see)
        if rules[Check.PERSONAL].level is not Level.OFF:
            self._looking.append(self._personal.see)
        if rules[Check.SECRETS].level is not Level.OFF:
            self._looking.append(self._secrets.see)

    def see(self, row: Row) -> None:
        for look in self._looking:
            look(row)

    def results(self) -> dict[Check, Result]:
        number, near = self._policy.number, self.likeness.near()
        shares = [number(Check.DUPLICATES, name) for name in ("share", "near_share", "conflict_share")]
        unasked = not_run(Check.SCHEMA, "no schema was given: --schema FILE")
        return {
            Check.SCHEMA: self._schema.result() if self._schema else unasked,
            Check.DUPLICATES: duplicates.judge(self.likeness, near, *shares),
            Check.LEAKAGE: leakage.judge(self.likeness, near, self._keys, number(Check.LEAKAGE, "share")),
            Check.PERSONAL: self._personal.result(),
            Check.SECRETS: self._secrets.result(),
        }


def _screens(sample: Sequence[Row], roles: Roles, order: Order, profile: Profile) -> dict[Check, Result]:
    policy, number = order.policy, order.policy.number
    facts = features.gather(sample, roles)
    moved = not_run(Check.DRIFT, "there is nothing to compare with: --against NAME, NAME@EPOCH or a baseline file")
    if order.baseline:
        moved = drift.judge(order.baseline, profile, number(Check.DRIFT, "alpha"), number(Check.DRIFT, "psi"))
    bounds = number(Check.OUTLIERS, "z"), number(Check.OUTLIERS, "share")
    return {
        Check.DRIFT: moved,
        Check.LABELS: labels.judge(facts, roles, number(Check.LABELS, "share"), policy.seed),
        Check.TRIGGERS: triggers.judge(facts, number(Check.TRIGGERS, "rate"), policy.seed),
        Check.OUTLIERS: outliers.judge(sample, roles, *bounds, policy.seed),
    }
