"""What an OpenAI-compatible endpoint answered: read strictly, and never trusted."""

import json
import re
from collections.abc import Mapping
from typing import Any

from ringfence.redteam.document import UNKNOWN
from ringfence.redteam.model import Answer, Outcome

MODEL_HEADER = "x-ringfence-model-digest"
MAX_ANSWER = 2**20
MAX_TOKENS = 2**31
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_FINISH = re.compile(r"[a-z_-]{1,32}")
FILTERED = "content_filter"


def fault(outcome: Outcome, *, status: int = 0, latency_us: int = 0, tries: int = 1) -> Answer:
    """Return that there is no answer, and why."""
    return Answer(fault=outcome, status=status, latency_us=latency_us, tries=tries)


def read(status: int, headers: Mapping[str, str], body: bytes, *, latency_us: int, tries: int) -> Answer:
    """Return the answer in a response of either route."""
    model = headers.get(MODEL_HEADER, UNKNOWN)
    value = _json(body)
    if status != 200:
        # Some endpoints filter the prompt by an error of its own; that is neither an answer nor a failure of theirs.
        filtered = isinstance(value, dict) and FILTERED in json.dumps(value.get("error"))[:4096]
        return fault(Outcome.FILTERED if filtered else Outcome.ERROR, status=status, latency_us=latency_us, tries=tries)
    choice = _choice(value)
    if choice is None:
        return fault(Outcome.ERROR, status=status, latency_us=latency_us, tries=tries)
    text, finish = choice
    usage = value.get("usage")
    return Answer(
        text=text,
        finish=finish,
        status=status,
        model=model if _DIGEST.fullmatch(model) else UNKNOWN,
        prompt_tokens=_tokens(usage, "prompt_tokens"),
        completion_tokens=_tokens(usage, "completion_tokens"),
        latency_us=latency_us,
        tries=tries,
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _choice(value: Any) -> tuple[str, str] | None:
    match value:
        case {"choices": [{"message": {"content": content}, **rest}, *_]} | {
            "choices": [{"text": content, **rest}, *_]
        }:
            finish = rest.get("finish_reason")
            said = content if isinstance(content, str) else ""  # a call of a tool has no text
            return said, finish if isinstance(finish, str) and _FINISH.fullmatch(finish) else ""
        case _:
            return None


def _tokens(usage: Any, name: str) -> int | None:
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if type(count) is int and 0 <= count < MAX_TOKENS else None
