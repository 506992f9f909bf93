"""Whether a statement is what was asked for: decided by the statement itself, whatever an index says. Pure."""

from ringfence.ledger.explorer.model import Asked, Query
from ringfence.ledger.model import LoggedStatement

DIGEST = "sha256:"


def matches(logged: LoggedStatement, asked: Asked) -> bool:
    """Tell whether a statement is what was asked for."""
    query, statement = asked.query, logged.envelope.statement
    issuance = statement.issuance
    return (
        query.predicate in {None, statement.predicate}
        and query.strength in {None, issuance.strength}
        and query.demo in {None, issuance.demo}
        and _in_time(logged, query)
        and _by_actor(logged, asked)
        and (not query.subject or any(about(query.subject, s.name, s.digest.hex) for s in statement.subjects))
    )


def about(wanted: str, name: str, digest: str) -> bool:
    """Tell whether a subject's name begins so; or its digest, where that is asked for."""
    if wanted.startswith(DIGEST):
        return digest.startswith(wanted.removeprefix(DIGEST))
    return name.startswith(wanted)


def _in_time(logged: LoggedStatement, query: Query) -> bool:
    at = logged.recorded_at
    return (
        (query.since is None or query.since <= at)
        and (query.until is None or at < query.until)
        and (query.at is None or at <= query.at)
        and (query.before is None or logged.entry < query.before)
    )


def _by_actor(logged: LoggedStatement, asked: Asked) -> bool:
    key = logged.envelope.signer
    return (
        (asked.keys is None or key in asked.keys)
        and key.startswith(asked.beginning)
        and (asked.windows is None or asked.windows.holds(key, logged.recorded_at, logged.entry))
    )
