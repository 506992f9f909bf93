"""Which risks a page shows, by the filters of its address. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from ringfence.governance.risks.model import Level, Risk
from ringfence.kernel.errors import MalformedInput

WAITS: Mapping[str, str] = {
    "owner": "no owner",
    "treatment": "no treatment",
    "acceptance": "not accepted",
    "overdue": "overdue",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for; empty fields leave nothing out."""

    state: str = "open"
    level: str = ""
    lacks: str = ""
    threat: str = ""
    control: str = ""
    likelihood: int = 0
    impact: int = 0

    def check(self) -> None:
        """Return where every field is one that there is; raise `MalformedInput`."""
        known = (("state", ("open", "closed", "all")), ("level", ("", *Level)), ("lacks", ("", *WAITS)))
        for name, words in known:
            if getattr(self, name) not in words:
                raise MalformedInput(f"is one of {', '.join(word for word in words if word)}", source=name)

    def chosen(self, risks: Iterable[Risk], today: date) -> list[Risk]:
        """Return the risks that fit."""
        return [risk for risk in risks if self._fits(risk) and (not self.lacks or _lacks(risk, self.lacks, today))]

    def _fits(self, risk: Risk) -> bool:
        row = risk.row
        asked = (
            (self.state != "all", risk.open is (self.state == "open")),
            (self.level, row.rating.level == self.level),
            (self.likelihood, row.rating.likelihood == self.likelihood),
            (self.impact, row.rating.impact == self.impact),
            (self.threat, self.threat in row.threats),
            (self.control, self.control in controls_of(risk)),
        )
        return all(fits for given, fits in asked if given)


def controls_of(risk: Risk) -> tuple[str, ...]:
    """Return every control that treats a risk."""
    plan = risk.row.plan
    return tuple(sorted({*risk.row.controls, *(plan.controls if plan else ())}))


def _lacks(risk: Risk, what: str, today: date) -> bool:
    match what:
        case "owner":
            return not risk.row.owned
        case "treatment":
            return risk.row.plan is None
        case "acceptance":
            return not risk.accepted(today)
        case _:
            return risk.treatment_overdue(today) or risk.review_overdue(today)
