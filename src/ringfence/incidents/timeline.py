"""The timeline of an incident: what each event says in words, and the salted chain over all of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ringfence.incidents import codec
from ringfence.incidents.model import Entry, Event, FactKind
from ringfence.kernel import digest
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Statement

START = Digest(bytes(32))


def link(before: Digest, event: Event) -> Digest:
    """Return the end of the chain after an event."""
    content = {"kind": event.kind, "at": to_text(event.at), "by": event.by, "body": dict(event.body)}
    return Digest.of(before.value + event.salt + digest.dumps(content))


def heads(statements: Iterable[Statement], incident: str) -> dict[int, Digest]:
    """Return, by position, the ends of the chain that statements about an incident name."""
    found = {}
    for statement in statements:
        match statement.claims:
            case {"incident": str() as named, "timeline": str() as end, "position": int() as position}:
                pass
            case {"incident": str() as named, "timeline": str() as end, "seen": int() as position}:
                pass
            case _:
                continue
        if named == incident:
            found[position] = Digest.parse(end)
    return found


def intact(entries: Sequence[Entry], known: Mapping[int, Digest]) -> bool:
    """Tell whether the timeline is the one that signed statements name: nothing changed, nothing taken away."""
    ends = {entry.position: entry.link for entry in entries} | {0: START}
    return all(ends.get(position) == end for position, end in known.items())


def words(event: Event) -> str:
    """Say in one line what an event was."""
    return _WORDS[event.kind](event.body)


def _of_finding(body: Mapping[str, Any]) -> str:
    if "fact" in body:
        fact = body["fact"]
        return " ".join(filter(None, (FactKind(fact["kind"]).value, fact["node"], fact["text"])))
    finding = codec.finding(body["finding"])
    return f"{finding.place}: {finding.count} events"


def _of_triage(body: Mapping[str, Any]) -> str:
    claims = body["claims"]
    word = "significant" if claims["significant"] else "not significant"
    aware = f", aware at {claims['awareAt']}" if "awareAt" in claims else ""
    breach = {"yes": ", a breach of personal data", "no": ", no breach of personal data"}
    data = breach.get(claims.get("personalData", ""), "")
    return f"decided: {word}{aware} ({', '.join(claims['criteria']) or 'no criterion'}){data}"


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "opened": lambda body: f"opened ({body['cause']})",
    "extended": _of_finding,
    "triaged": _of_triage,
    "corrected": lambda body: f"corrected: {body['claims']['field']}",
    "merged": lambda body: f"merged with {body['part']['incident']}",
    "split": lambda body: f"split: {len(body['claims']['findings'])} findings go to {body['into']}",
    "absorbed": lambda body: f"merged into {body['into']}",
    "reported": lambda body: f"filed: {body['claims']['stage']} at {body['claims']['filedAt']}",
    "noticed": lambda body: f"customer {body['claims']['customer']} told at {body['claims']['sentAt']}",
    "breach-noticed": lambda body: (
        f"customer {body['claims']['customer']} told of the breach at {body['claims']['sentAt']}"
    ),
    "closed": lambda body: f"handled at {body['claims']['handledAt']}; open clocks stay open",
    "warned": lambda body: str(body["text"]),
}
