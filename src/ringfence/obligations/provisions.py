"""Name the obligations that a control's maps point at: the id of a provision is a token that OSCAL takes.

"21(2)(g)" of NIS2 is `nis2-21.2.g`. A comma lists provisions, "21(2)(c),(e)" are two; a range stays one, as written.
"""

import re
from collections.abc import Mapping, Sequence

from ringfence.kernel.errors import MalformedInput

ACTS = ("NIS2", "2024/2690", "AI Act", "CRA", "GDPR", "DORA")  # as obligations name them
PREFIXES = {"nis2": "nis2", "ir_2024_2690": "ir2690", "ai_act": "ai", "cra": "cra", "gdpr": "gdpr", "dora": "dora"}
_TOKEN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9.]+)+")
_LAST_POINT = re.compile(r"(\([a-z0-9]+\)(-\([a-z0-9]+\))?)$")
_ROMAN = re.compile(r"[IVX]+")


def served(maps: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the ids of all provisions that the maps of a control name, act after act, each once."""
    found = [token(act, one) for act in PREFIXES for text in maps.get(act, ()) for one in listed(text)]
    return tuple(dict.fromkeys(found))


def listed(text: str) -> list[str]:
    """Return the provisions of a list, each written out: "21(2)(c),(e)" names 21(2)(c) and 21(2)(e)."""
    first, *others = (part.strip() for part in text.split(","))
    head = _LAST_POINT.sub("", first)
    return [first, *(head + part if part.startswith("(") else part for part in others)]


def written(act: str, provision: str) -> str:
    """Return a provision as its obligation writes it: a bare Roman number is an annex of the AI Act."""
    return f"Annex {provision}" if act == "ai_act" and _ROMAN.fullmatch(provision) else provision


def token(act: str, provision: str) -> str:
    """Return the id of one provision; `act` is the name of a map.

    Raises:
        MalformedInput: what is written there is no provision.
    """
    text = written(act, provision).lower().replace("-(", "-").replace("(", ".").replace(")", "").replace("/", "-")
    made = f"{PREFIXES[act]}-" + re.sub(r"\s+", "-", text)
    if not _TOKEN.fullmatch(made):
        raise MalformedInput(f"{provision!r} is not how a provision is written")
    return made
