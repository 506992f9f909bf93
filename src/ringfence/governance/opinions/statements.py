"""What auditors sign: verdict, method and basis are claims, the sentence is a detail. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from ringfence.governance import reading
from ringfence.governance.opinions.model import MAX_BASIS, Given, Method, OpinionId, Verdict, opinion_id
from ringfence.governance.signed import subject
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength

GIVEN = PredicateName("opinion.given")
WITHDRAWN = PredicateName("opinion.withdrawn")
ALL = (GIVEN, WITHDRAWN)
MAX_ENTRY = 2**53 - 1
_GIVEN = ("opinion", "control", "verdict", "method", "basis", "rulesDigest", "status", "until")


def given(one: Given) -> Draft:
    """Return what an auditor signs."""
    claims = {
        "opinion": one.id,
        "control": one.control,
        "verdict": one.verdict.value,
        "method": one.method.value,
        "basis": list(one.basis),
        "rulesDigest": str(one.rules),
        "status": one.status,
        "until": str(one.until),
    }
    return Draft(GIVEN, (subject(one.id),), claims, Strength.DOCUMENTED, {"sentence": one.sentence})


def withdrawn(name: OpinionId, reason: str) -> Draft:
    """Return what an auditor signs who takes an opinion back."""
    return Draft(WITHDRAWN, (subject(name),), {"opinion": name}, Strength.DOCUMENTED, {"reason": reason})


def parse_given(
    claims: Mapping[str, Any], details: Mapping[str, Any], controls: Collection[str] | None = None
) -> Given:
    """Read an opinion; its control is looked up only where the controls are given."""
    read = reading.fields(dict(claims), "claims", _GIVEN)
    control, status = (_word(read[name], name) for name in ("control", "status"))
    reading.names([control], "control", [control] if controls is None else controls)
    verdict = Verdict(_choice(read["verdict"], "verdict", [*Verdict]))
    basis = _entries(read["basis"])
    if not basis and verdict is Verdict.AGREES:
        raise MalformedInput("to agree, name at least one entry that was examined", source="basis")
    return Given(
        opinion_id(read["opinion"]),
        control,
        verdict,
        Method(_choice(read["method"], "method", [*Method])),
        basis,
        Digest.parse(read["rulesDigest"]),
        status,
        reading.day(read["until"], "until"),
        str(details.get("sentence", "")),
    )


def parse_withdrawn(claims: Mapping[str, Any], details: Mapping[str, Any]) -> tuple[OpinionId, str]:
    """Read that an opinion was taken back."""
    read = reading.fields(dict(claims), "claims", ("opinion",))
    return opinion_id(read["opinion"]), str(details.get("reason", ""))


def _word(value: object, what: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 40 or not value.isascii() or not value.isprintable():
        raise MalformedInput("is a short word", source=what)
    return value


def _choice(value: object, what: str, known: Collection[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise MalformedInput(f"is one of {', '.join(known)}", source=what)
    return value


def _entries(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > MAX_BASIS:
        raise MalformedInput(f"is a list of at most {MAX_BASIS} entries", source="basis")
    found = tuple(sorted({reading.whole(one, "basis", 0, MAX_ENTRY) for one in value}))
    if len(found) != len(value):
        raise MalformedInput("names an entry twice", source="basis")
    return found
