"""What the options of `ringfence customer` say. Pure."""

from typing import Any

from ringfence.customers.model import Occasion, Regime

_KINDS = ("datasets", "deployments", "models", "nodes")


def said(
    regime: list[Regime] | None,
    country: str | None,
    reference: str | None,
    hours: tuple[int | None, int | None, int | None],
    clause: list[str] | None,
    things: tuple[list[str] | None, ...],
) -> dict[str, Any]:
    """Return what the options say of a customer, as the API takes it; what was not said is left out."""
    named = dict(zip(Occasion, hours, strict=True))
    found: dict[str, Any] = {
        "regimes": [str(one) for one in regime] if regime else None,
        "country": country,
        "reference": reference,
        "clauses": several(clause),
        **{kind: several(names) for kind, names in zip(_KINDS, things, strict=True)},
    }
    agreed = {str(occasion): value for occasion, value in named.items() if value is not None}
    return {name: value for name, value in found.items() if value is not None} | ({"hours": agreed} if agreed else {})


def several(given: list[str] | None) -> list[str] | None:
    """Return a list that was given; `none` empties it."""
    return None if given is None else [one for one in given if one != "none"]
