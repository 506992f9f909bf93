"""One search in words: the names of its parts in addresses, in the API and on the command line are the same. Pure."""

import re
import shlex
from collections.abc import Mapping
from datetime import datetime

from ringfence.kernel import identifier
from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import Strength
from ringfence.ledger.explorer.matching import DIGEST
from ringfence.ledger.explorer.model import Query
from ringfence.ledger.explorer.standing import STANDINGS

MAX_NAME = 256  # of a subject, as statements limit it
_DEMO = {"yes": True, "no": False}
_DIGITS = re.compile(r"[0-9a-f]{4,64}")


def subject(text: str) -> str:
    """Parse the beginning of a subject's name, or `sha256:` and the beginning of its digest."""
    if len(text) > MAX_NAME or not (text.isascii() and text.isprintable()):
        raise MalformedInput(
            f"the name of a subject has at most {MAX_NAME} printable ASCII characters", source="subject"
        )
    if text.startswith(DIGEST) and not _DIGITS.fullmatch(text.removeprefix(DIGEST)):
        raise MalformedInput("a digest is asked for as sha256: and its first 4 to 64 digits", source="subject")
    return text


def query(words: Mapping[str, str], *, before: int | None, at: datetime | None, times: Mapping[str, datetime]) -> Query:
    """Parse the parts of a search; parts that are absent or empty are not asked for.

    Args:
        words: of `subject`, `predicate`, `actor`, `strength`, `standing`, `demo`.
        before: only entries below this index.
        at: as of when.
        times: of `since` and `until`.

    Raises:
        MalformedInput: a part is not one that could be asked for.
    """
    given = {name: text.strip() for name, text in words.items() if text.strip()}
    demo, standing = given.get("demo", ""), given.get("standing", "")
    if demo and demo not in _DEMO:
        raise MalformedInput("demo is yes or no", source="demo")
    if standing and standing not in STANDINGS:
        raise MalformedInput(f"a standing is one of {', '.join(sorted(STANDINGS))}", source="standing")
    return Query(
        subject=subject(given.get("subject", "")),
        predicate=identifier.predicate_name(given["predicate"]) if "predicate" in given else None,
        since=times.get("since"),
        until=times.get("until"),
        actor=given.get("actor", ""),
        strength=Strength.parse(given["strength"]) if "strength" in given else None,
        standing=standing,
        demo=_DEMO.get(demo),
        before=before,
        at=at,
    )


def parts(query: Query) -> dict[str, str]:
    """Return what is asked for, by the names that an address gives it."""
    found = {
        "subject": query.subject,
        "predicate": query.predicate or "",
        "since": to_text(query.since) if query.since else "",
        "until": to_text(query.until) if query.until else "",
        "actor": query.actor,
        "strength": query.strength.text if query.strength else "",
        "standing": query.standing,
        "demo": "" if query.demo is None else "yes" if query.demo else "no",
        "before": "" if query.before is None else str(query.before),
        "as_of": to_text(query.at) if query.at else "",
    }
    return {name: text for name, text in found.items() if text}


def terminal(query: Query) -> str:
    """Return the command that lists the same."""
    options = [f"--{name.replace('_', '-')} {shlex.quote(text)}" for name, text in parts(query).items()]
    return " ".join(["ringfence ledger list", *options])
