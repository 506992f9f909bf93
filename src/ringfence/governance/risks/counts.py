"""What the register says in numbers, for the evidence of a risk assessment, and how risks spread. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date

from ringfence.governance.risks.model import STEPS, Level, Rating, Risk, Treatment

ACCOUNTABLE = "accountable-person"
NOBODY = "nobody"
_SCALE = range(1, STEPS + 1)


def counts(risks: Iterable[Risk], today: date) -> Mapping[str, int | str]:
    """Return the counted claims of a `risk.assessment`.

    Residual risks are accepted by an accountable person where every treated risk has an acceptance in force; the
    management body accepts by its resolutions, which are counted there.
    """
    kept = [risk for risk in risks if risk.open]
    treated = [risk for risk in kept if risk.row.plan is not None]
    all_accepted = bool(treated) and all(risk.accepted(today) for risk in treated)
    return {
        "risks": len(kept),
        "withoutOwner": sum(not risk.row.owned for risk in kept),
        "undecided": len(kept) - len(treated),
        "treatmentsOverdue": sum(risk.treatment_overdue(today) for risk in kept),
        "reviewsOverdue": sum(risk.review_overdue(today) for risk in kept),
        "acceptedWithoutReason": sum(unaccepted(risk, today) for risk in treated),
        "acceptedBy": ACCOUNTABLE if all_accepted else NOBODY,
    }


def unaccepted(risk: Risk, today: date) -> bool:
    """Tell whether a risk is to be borne as it is, without an acceptance in force: with reason, approval and end."""
    plan = risk.row.plan
    return risk.open and plan is not None and plan.kind is Treatment.ACCEPT and not risk.accepted(today)


def heat(risks: Iterable[Risk], *, left: bool = False) -> list[list[tuple[Level, int]]]:
    """Return level and number of open risks for each impact, the gravest first, and each likelihood.

    Args:
        risks: the register.
        left: rate each risk by what its treatment has left of it.
    """
    rated = [risk.left if left else risk.row.rating for risk in risks if risk.open]
    return [
        [(Rating(likely, impact).level, rated.count(Rating(likely, impact))) for likely in _SCALE]
        for impact in reversed(_SCALE)
    ]
