"""General-purpose AI models: who is a provider, with systemic risk or without (AI Act 51 to 55).

The compute thresholds for *being* such a model and for modifying one are the Commission's indicative ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from ringfence.obligations.scope.ai_act import NOT_YET, OUT_OF_SCOPE, Row
from ringfence.obligations.scope.completion import options
from ringfence.obligations.scope.model import AiSystem
from ringfence.obligations.scope.rules import Rules, day

INDICATIVE_FROM = Fraction(10) ** 23  # guidelines: above this, and generating language or images
SYSTEMIC_FROM = Fraction(10) ** 25  # Art 51(2): presumed above this
NO_GPAI = "no_gpai_duty"
_BANDS = (Fraction(1), INDICATIVE_FROM + 1, SYSTEMIC_FROM + 1)


@dataclass(frozen=True, slots=True)
class Facts:
    """One completion of what is known about a model."""

    activities: tuple[str, ...]
    union_link: bool
    research_only: bool
    open_source: bool
    general_purpose: bool | None  # None: the indicative criterion decides
    generative: bool
    training_compute: Fraction
    high_impact: bool
    modification: bool  # more than a third of the original's compute
    placed_on: date | str

    @property
    def general(self) -> bool:
        """Say whether this is a general-purpose model."""
        if self.general_purpose is not None:
            return self.general_purpose
        return self.generative and self.training_compute > INDICATIVE_FROM

    @property
    def systemic(self) -> bool:
        """Say whether systemic risk is presumed or known."""
        return self.high_impact or self.training_compute > SYSTEMIC_FROM


def inputs(model: AiSystem, law: Rules) -> dict[str, Sequence[Any]]:
    """Return the completions of a model, by input."""
    known = model.activities
    older = date(2025, 1, 1)
    return {
        "activities": [(name,) for name in law.ai_act["activities"]] if known is None else [known],
        "union_link": options(model.union_link),
        "research_only": options(model.research_only),
        "open_source": options(model.open_source),
        "general_purpose": (model.general_purpose,),
        "generates_language_or_images": options(model.generative),
        "training_compute": _BANDS if model.training_compute is None else (model.training_compute,),
        "high_impact_capabilities": options(model.high_impact),
        "modification_compute": _modification(model),
        "placed_on_market": (older, NOT_YET) if model.placed_on is None else (model.placed_on,),
    }


def _modification(model: AiSystem) -> tuple[bool, ...]:
    """Say whether a modification exceeds a third; an unknown original is replaced by the guidelines' figures."""
    if model.activities is not None and "modifies_model" not in model.activities:
        return (False,)
    if model.modification_compute is None:
        return (True, False)
    originals = {SYSTEMIC_FROM if systemic else INDICATIVE_FROM for systemic in options(model.high_impact)}
    known = originals if model.original_compute is None else {model.original_compute}
    return tuple(sorted({model.modification_compute * 3 > original for original in known}))


def decide(facts: Facts, law: Rules) -> frozenset[Row]:
    """Return every role with every class of one completion."""
    rows: set[Row] = set()
    for name in facts.activities:
        rows.update(_activity(name, facts, law))
    return frozenset(rows) or frozenset({Row("none", NO_GPAI, None, "AI Act 3(63), 53")})


def _activity(name: str, facts: Facts, law: Rules) -> list[Row]:
    role = law.ai_act["activities"][name]["role"]
    if not facts.union_link:
        return [Row(role, OUT_OF_SCOPE, None, "AI Act 2(1)")]
    if facts.research_only:
        return [Row(role, OUT_OF_SCOPE, None, "AI Act 2(6), 2(8)")]
    if name == "modifies_model":
        modified = facts.modification and facts.general_purpose is not False
        below = [Row(role, NO_GPAI, None, "guidelines C(2025) 7719 57-63", "secondary")]
        return _provider(facts, law) if modified else below
    if role == "provider" and facts.general:
        return _provider(facts, law)
    return [Row(role, NO_GPAI, None, "AI Act 3(63), 53", "secondary")]


def _provider(facts: Facts, law: Rules) -> list[Row]:
    dates = law.ai_act["dates"]
    older = isinstance(facts.placed_on, date) and facts.placed_on < day(dates["gpai"])
    since = dates["gpai_placed_before"] if older else dates["gpai"]
    reduced = facts.open_source and not facts.systemic
    ref = "AI Act 53(1)(c)-(d)" if reduced else "AI Act 53(1)(a)-(d)"
    source = "verified" if facts.general_purpose else "secondary"  # the criterion is the Commission's, and indicative
    rows = [Row("provider", "gpai", since, ref, source)]
    if facts.systemic:
        rows.append(Row("provider", "gpai_systemic", since, "AI Act 51(1)-(2), 52(1), 55"))
    return rows


def decider(law: Rules) -> Callable[..., frozenset[Row]]:
    """Return the decision over the values of `inputs`, in their order."""
    return lambda *values: decide(Facts(*values), law)
