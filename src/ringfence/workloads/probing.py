"""Ask an engine that runs already whether it is there, once, and bounded in time and size."""

from typing import Any

import httpx

from ringfence.gateway.address import Address
from ringfence.gateway.deployments import MAX_MODEL, Seen
from ringfence.gateway.model import Protocol
from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput, Unavailable

SECONDS = 10.0
LARGEST = 2**20
MOST_MODELS = 1000
_ASK = {Protocol.OPENAI: "/models", Protocol.INFERENCE_V2: "/health/ready"}


class HttpEngines:
    """`gateway.ports.Engines` over HTTP; nothing is followed elsewhere, and no proxy is asked."""

    def ask(self, address: Address, protocol: Protocol, credential: str) -> Seen:
        """Return what an engine answered; raise `Unavailable` where none does."""
        url = address.url + _ASK[protocol]
        headers = {"authorization": f"Bearer {credential}"} if credential else {}
        try:
            with (
                httpx.Client(timeout=SECONDS, trust_env=False, follow_redirects=False) as client,
                client.stream("GET", url, headers=headers) as answer,
            ):
                body = _bounded(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"no engine answers at {url}: {str(error) or type(error).__name__}") from error
        if answer.status_code in {401, 403}:
            raise Unavailable(f"the engine at {url} wants a key of its own; name a file that holds it (--api-key-file)")
        if answer.status_code != 200:
            raise Unavailable(f"what answers at {url} says {answer.status_code}; is that the engine's address?")
        return Seen(_models(body, url) if protocol is Protocol.OPENAI else (), ready=True)


def _bounded(answer: httpx.Response) -> bytes:
    body = b""
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > LARGEST:
            raise Unavailable(f"what answers at {answer.url} sends more than {LARGEST} bytes")
    return body


def _models(body: bytes, url: str) -> tuple[str, ...]:
    try:
        match digest.loads(body, limit=LARGEST):
            case {"data": list() as listed}:
                return tuple(name for item in listed[:MOST_MODELS] if (name := _name(item)))
            case _:
                pass
    except MalformedInput as error:
        raise Unavailable(f"what answers at {url} does not list models: {error}") from error
    raise Unavailable(f"what answers at {url} does not list models as an OpenAI-compatible engine does")


def _name(item: Any) -> str:
    name = item.get("id") if isinstance(item, dict) else None
    return name if isinstance(name, str) and 0 < len(name) <= MAX_MODEL and name.isprintable() else ""
