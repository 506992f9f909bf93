"""The criteria of significance as data: `nis2_2690.yaml`, section `significant_incident`, read strictly."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from ringfence.incidents.terms import Threshold
from ringfence.kernel.errors import MalformedInput

# NIS2 23(3): what an entity judges by where the numbers of 2024/2690 do not bind it.
DIRECTIVE = (
    Threshold(
        "23(3)(a)",
        "",
        "disruption",
        "Caused or can cause severe operational disruption of the services or financial loss for the entity",
    ),
    Threshold(
        "23(3)(b)",
        "",
        "damage",
        "Affected or can affect others by causing considerable material or non-material damage",
    ),
)


def parse(section: Any, *, source: str = "nis2_2690.yaml") -> tuple[Threshold, ...]:
    """Return every criterion; raise `MalformedInput` where the section is not as expected.

    Args:
        section: the mapping under `significant_incident`.
        source: what to name in an error.
    """
    try:
        horizontal = [_threshold(entry, "", source) for entry in section["horizontal"]["criteria"]]
        groups = {str(group["article"]): group for group in section["by_type"]}
        typed = [found for group in section["by_type"] for found in _of_type(group, groups, source)]
        recurring = _recurring(section["recurring"])
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedInput(f"significant_incident lacks or misnames a field: {error}", source=source) from error
    return (*horizontal, recurring, *typed)


def _recurring(entry: Mapping[str, Any]) -> Threshold:
    article = str(entry["article"])
    return Threshold(article, "", "recurring", str(entry["rule"]))


def _of_type(group: Any, groups: Mapping[str, Any], source: str) -> Iterator[Threshold]:
    article, model = str(group["article"]), groups[str(group.get("same_as", group["article"]))]
    for entry in model["criteria"]:
        # Articles 12 and 13 repeat 11 for their own types: the letter is the same, the article is theirs.
        letter = str(entry["id"]).removeprefix(str(model["article"]))
        yield _threshold({**entry, "id": article + letter}, str(group["type"]), source)


def _threshold(entry: Mapping[str, Any], of_type: str, source: str) -> Threshold:
    return Threshold(
        code=str(entry["id"]),
        type=of_type,
        kind=str(entry["kind"]),
        text=str(entry["text"]),
        minutes=_whole(entry.get("minutes"), source),
        eur=_whole(entry.get("eur"), source),
        turnover_pct=_ratio(entry.get("turnover_pct"), source),
        users_pct=_ratio(entry.get("users_pct"), source),
        users_abs=_whole(entry.get("users_abs"), source),
    )


def _whole(value: Any, source: str) -> int | None:
    if value is None or (type(value) is int and value >= 0):
        return value
    raise MalformedInput(f"a threshold is a whole number, not {value!r}", source=source)


def _ratio(value: Any, source: str) -> Decimal | None:
    if value is None:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise MalformedInput(f"a threshold in percent is a number, not {value!r}", source=source) from error
    if not 0 < found <= 100:
        raise MalformedInput(f"a threshold in percent is above 0 and at most 100, not {value!r}", source=source)
    return found


def binding(all_of_them: tuple[Threshold, ...], types: tuple[str, ...], binds: bool | None) -> tuple[Threshold, ...]:  # noqa: FBT001
    """Return the criteria by which a person decides: the numeric ones where they bind, else the directive's own.

    While it is not determined whether the numbers bind, both are shown.
    """
    numeric = tuple(one for one in all_of_them if not one.type or _is_of(one.type, types))
    if binds is None:
        return (*numeric, *DIRECTIVE)
    return numeric if binds else DIRECTIVE


def _is_of(named: str, types: tuple[str, ...]) -> bool:
    # Article 10 is for two types at once; the platform type has a shorter name there than in the annex.
    names = named.split("_or_")
    return any(one in names or one.replace("_services_platform", "_platform") in names for one in types)
