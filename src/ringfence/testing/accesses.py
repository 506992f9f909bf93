"""Access records as the gateway writes them, changed where a test says.

access()                                    # a request that was let in
access(key="", tenant="", **WRONG)          # a key that nobody has
access(**WRONG)                             # a wrong secret for KEY
"""

import json
from datetime import datetime
from types import MappingProxyType

from ringfence.kernel.clock import to_text
from ringfence.testing.clock import START

KEY = "k-0123456789ab"
VICTIM = "k-ba9876543210"
CLIENT = "203.0.113.50"
WRONG = MappingProxyType({"status": 401, "error": "invalid_api_key", "deployment": "", "finish_reason": ""})
STRANGER = MappingProxyType({"tenant": "", "key": "", **WRONG})


def access(at: datetime = START, **changes: object) -> str:
    """Return one line, without its end."""
    record: dict[str, object] = {
        "ts": to_text(at),
        "request": "req-" + "0" * 32,
        "tenant": "acme",
        "key": KEY,
        "source": CLIENT,
        "route": "chat.completions",
        "deployment": "answers",
        "model": "answers",
        "status": 200,
        "error": "",
        "prompt_tokens": 31,
        "completion_tokens": 12,
        "max_tokens": 64,
        "logprobs": False,
        "top_logprobs": None,
        "n": 1,
        "temperature_milli": 700,
        "finish_reason": "stop",
        "ttft_us": 8100,
        "total_us": 20_000,
        "request_commitment": "0" * 64,
        "guard": [],
        "bytes_in": 512,
        "bytes_out": 2048,
    }
    return json.dumps(record | changes)
