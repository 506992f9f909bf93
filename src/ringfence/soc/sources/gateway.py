"""Access records of the gateway, as JSON lines: which key asked for what, and what came of it. docs/specs/access.md.

The gateway wrote the line, so it speaks for itself; what a caller can put into it (`model`, a wrong key, a path) names
nobody: tenant and key are the gateway's own, looked up before they were written.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.model import Event
from ringfence.soc.sources.address import source_of
from ringfence.soc.sources.lines import MAX_LINE, Tally
from ringfence.soc.sources.syslog import iso

REPORTER = "gateway"  # stands where a node's name stands in other events; no node can be called so: ids are `n-…`
TENANT = "unmapped.tenant"
KEY = "actor.user.uid"
GUARD = "unmapped.guard"
USUAL = "unmapped.usual"  # "yes": this key was used from this address lately; the watch adds it
SKEW = timedelta(seconds=120)
MAX_COUNT = 2**53
MAX_GUARD = 16
RULES = frozenset({"api-key-guessing", "api-key-guessing-then-success", "injection-burst"})  # over these records
GUESS = "invalid_api_key"  # the only refusal that a wrong secret leads to
_KEY = re.compile(r"(k-[0-9a-f]{12})?")
_TENANT = re.compile(r"([a-z0-9][a-z0-9-]{0,31})?")
_REQUEST = re.compile(r"req-[0-9a-f]{32}")
_DEPLOYMENT = re.compile(r"([a-z0-9][a-z0-9._-]{0,62})?")
_CODE = re.compile(r"[a-z0-9_]{0,64}")
_GROUP = re.compile(r"[a-z][a-z0-9.-]{0,31}")
_HASH = re.compile(r"([0-9a-f]{64})?")
_ROUTES = frozenset(
    {"chat.completions", "completions", "embeddings", "inference-v2", "models", "receipts", "health", ""},
)
_UNAUTHENTICATED = frozenset({GUESS, "missing_api_key"})
_TURNED_AWAY = frozenset({"expired_api_key", "revoked_api_key", "blocked_api_key"})


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _text(most: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and len(value) <= most


def _counts(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_COUNT


def _counts_or_none(value: object) -> bool:
    return value is None or _counts(value)


def _asked(value: object) -> bool:
    """Take whatever number a caller asked for: who asks for -1 answers must not be unseen for it."""
    return value is None or (type(value) is int and abs(value) <= MAX_COUNT)


def _route(value: object) -> bool:
    return isinstance(value, str) and value in _ROUTES


def _groups(value: object) -> bool:
    is_short = isinstance(value, list) and len(value) <= MAX_GUARD
    return is_short and all(isinstance(each, str) and _GROUP.fullmatch(each) for each in value)  # type: ignore[attr-defined]


_FORMS: Mapping[str, Callable[[object], bool]] = {
    "ts": _text(40),
    "request": _matches(_REQUEST),
    "tenant": _matches(_TENANT),
    "key": _matches(_KEY),
    "source": _text(45),
    "route": _route,
    "deployment": _matches(_DEPLOYMENT),
    "model": _text(256),
    "status": lambda value: type(value) is int and 0 <= value <= 999,
    "error": _matches(_CODE),
    "finish_reason": _text(64),
    "logprobs": lambda value: isinstance(value, bool),
    "request_commitment": _matches(_HASH),
    "guard": _groups,
    "bytes_in": _counts,
    "bytes_out": _counts,
    "total_us": _counts,
    **dict.fromkeys(("prompt_tokens", "completion_tokens", "ttft_us"), _counts_or_none),
    **dict.fromkeys(("max_tokens", "top_logprobs", "n", "temperature_milli"), _asked),
}


@dataclass(slots=True)
class GatewayLog(Tally):
    """Reads access records; what cannot be read is kept and counted."""

    def read(self, line: str, received_at: datetime, uid: str = "") -> Event | None:
        """Return the event of a record, or None where it is none; never raise."""
        self.lines += 1
        event = event_of(line, received_at, uid)
        if event is None:
            self.keep(line)
        else:
            self.parsed += 1
        return event


def event_of(line: str, received_at: datetime, uid: str = "") -> Event | None:
    """Return the event of a record, or None where it is none."""
    record = _record(line)
    if record is None:
        return None
    at, source = iso(record["ts"]), source_of(record["source"])
    if at is None or source is None or not source[1] or bool(record["tenant"]) is not bool(record["key"]):
        return None
    return Event(at, received_at, "gateway", None, _fields(record, source[0], at - received_at > SKEW, uid), line)


def _record(line: str) -> dict[str, Any] | None:
    if len(line) > MAX_LINE:
        return None
    try:
        found = json.loads(line, object_pairs_hook=_once)
    except (ValueError, RecursionError, MalformedInput):
        return None
    if not isinstance(found, dict) or found.keys() != _FORMS.keys():
        return None
    return found if all(fits(found[name]) for name, fits in _FORMS.items()) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedInput("a field stands twice")
    return found


def _code(record: Mapping[str, Any]) -> str:
    error = record["error"]
    if error == GUESS:
        return "refused" if record["status"] == 401 else "turned-away"
    if not record["key"] or error in _UNAUTHENTICATED | _TURNED_AWAY:
        return "turned-away"
    return "accepted" if 100 <= record["status"] < 400 and not error else "unfinished"


def _fields(record: Mapping[str, Any], source: str, skewed: bool, uid: str) -> dict[str, object]:  # noqa: FBT001
    code = _code(record)
    found: dict[str, object] = {
        "metadata.event_code": code,
        "http_request.uid": record["request"],
        "status": "Success" if code == "accepted" else "Failure",
        "activity_name": "Read" if record["route"] in {"models", "receipts"} else "Create",
        KEY: record["key"],
        "src_endpoint.uid": source,
        "src_endpoint.ip": source,
        "device.hostname": REPORTER,
        "api.operation": record["route"] or "unknown",
        "http_response.code": record["status"],
        "unmapped.deployment": record["deployment"],
        "unmapped.error": record["error"],
        "unmapped.prompt_tokens": record["prompt_tokens"],
        "unmapped.completion_tokens": record["completion_tokens"],
        TENANT: record["tenant"],
        GUARD: tuple(record["guard"]),
    }
    if record["guard"] and code in {"accepted", "unfinished"}:
        found["unmapped.guarded"] = "yes"
    return found | ({"unmapped.skewed": True} if skewed else {}) | ({"metadata.uid": uid} if uid else {})
