"""What an engine reports about its own answer, read from the answer's bytes; for the record only, never rewritten."""

import re
from typing import NamedTuple

_REASON = re.compile(rb'"finish_reason"\s*:\s*"([a-z_]{1,32})"').search
_PROMPT = re.compile(rb'"prompt_tokens"\s*:\s*([0-9]{1,15})\s*[,}]').search
_COMPLETION = re.compile(rb'"completion_tokens"\s*:\s*([0-9]{1,15})\s*[,}]').search


class Reported(NamedTuple):
    """Counts and reason as the engine gave them; unchecked, hence "engine-reported" wherever they are shown."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish_reason: str = ""


NOTHING = Reported()


def read(tail: bytes) -> Reported:
    """Read the end of a body, or the last events of a stream.

    A quoted key cannot stand inside JSON text: its quotes would be escaped there. So no full parse is needed.
    """
    at = tail.rfind(b'"usage"')
    prompt = completion = None
    if at >= 0:
        prompt, completion = _PROMPT(tail, at), _COMPLETION(tail, at)
    at = tail.find(b'"finish_reason"')
    reason = _REASON(tail, at) if at >= 0 else None
    return Reported(
        int(prompt[1]) if prompt else None,
        int(completion[1]) if completion else None,
        reason[1].decode() if reason else "",
    )
