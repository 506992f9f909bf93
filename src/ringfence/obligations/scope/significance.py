"""The two turnovers, never mixed: the undertaking's bounds fines, the entity's own decides on significance."""

from typing import Any

from ringfence.obligations.scope.entity import Standing
from ringfence.obligations.scope.model import Organisation

LOSS = 500_000  # 2024/2690 3(1)(a)
SHARE = 20  # … or a twentieth of the entity's own turnover, whichever is lower


def turnovers(organisation: Organisation, standing: Standing) -> dict[str, Any]:
    """Return both turnovers and, where 2024/2690 may bind, above which loss an incident is significant."""
    own = organisation.size.figures.turnover
    concerned = standing.binds_2690 is not False
    return {
        "undertaking_eur": organisation.undertaking_turnover,
        "undertaking_for": "fines (NIS2 34(4)-(5))",
        "entity_eur": own,
        "entity_for": "size class; loss that makes an incident significant (2024/2690 3(1)(a), whichever is lower)",
        "significant_loss_eur": loss(own) if concerned else None,
    }


def loss(own_turnover: int | None) -> int | None:
    """Return the loss in whole euros above which an incident is significant; None while the turnover is unknown."""
    return None if own_turnover is None else min(LOSS, own_turnover // SHARE)
