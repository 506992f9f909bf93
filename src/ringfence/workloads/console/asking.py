"""Ask a deployment through the gateway, as any caller does, with a key that lives for one question."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from ringfence.gateway.keys import Wanted
from ringfence.gateway.model import Deployment, DeploymentState, Limits, Protocol, RequestId, request_id
from ringfence.gateway.service import Gateway
from ringfence.kernel import digest
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import Conflict, MalformedInput, Unavailable, UsageError
from ringfence.kernel.text import printable

CALLER = "console"
LONGEST = 2000  # characters of a prompt
TOKENS = 16
ONE_QUESTION = Limits(requests_per_minute=30, concurrent=1, body_bytes=2**16)
HEARD = 1.2  # seconds after which the gateway has read of a new key
TRIES = 4  # and of a new deployment
SECONDS = 60.0
LARGEST = 2**20
_UNKNOWN = frozenset({401, 404})  # the gateway has not read of the key, or of the deployment


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; its text is on the page that asked, and nowhere else."""

    text: str
    request: RequestId
    model_digest: str
    basis: str
    milliseconds: int
    tokens: int | None  # as the engine reported


@dataclass(frozen=True, slots=True)
class Asking:
    """Ask through the gateway."""

    gateway: Gateway
    port: Callable[[], int | None]  # where it listens on this machine; None: it does not run
    pause: Callable[[float], None] = time.sleep

    def ask(self, caller: Person, one: Deployment, prompt: str) -> Answer:
        """Return the answer to a prompt.

        Raises:
            UsageError: it is no prompt, or nothing that prompts are for.
            Unavailable: the gateway does not run, or did not answer.
        """
        body = question(one, prompt)
        port = self.port()
        if port is None:
            raise Unavailable("the gateway does not run: it starts with `ringfence up`, which says why where it cannot")
        issued = self.gateway.issue_key(caller, Wanted(CALLER, (one.name,), days=1, limits=ONE_QUESTION))
        try:
            return self._asked(f"http://127.0.0.1:{port}/v1/completions", issued.secret, body)
        finally:
            self.gateway.revoke_key(caller, issued.key.id)

    def _asked(self, url: str, secret: str, body: bytes) -> Answer:
        headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
        began, said = 0.0, None
        try:
            with httpx.Client(headers=headers, timeout=SECONDS, trust_env=False, follow_redirects=False) as client:
                for _ in range(TRIES):
                    self.pause(HEARD)
                    began = time.monotonic()
                    said = client.post(url, content=body)
                    if said.status_code not in _UNKNOWN:
                        break
        except httpx.HTTPError as error:
            raise Unavailable(f"the gateway did not answer: {str(error) or type(error).__name__}") from error
        if said is None:
            raise Unavailable("the gateway was not asked")
        return read(said, round(1000 * (time.monotonic() - began)))


def question(one: Deployment, prompt: str) -> bytes:
    """Return the body of a request; raise `UsageError` where there is nothing to ask."""
    if one.state is not DeploymentState.SERVING:
        raise Conflict(f"{one.name} is {one.state}, and answers nobody")
    if one.protocol is not Protocol.OPENAI:
        raise UsageError(f"{one.name} takes tensors, not words; see docs/how-to/serve-a-model.md")
    if not prompt.strip() or len(prompt) > LONGEST:
        raise MalformedInput(f"a prompt here has 1 to {LONGEST} characters", source="prompt")
    return digest.dumps({"model": one.name, "prompt": prompt, "max_tokens": TOKENS, "temperature": 0})


def read(said: httpx.Response, milliseconds: int) -> Answer:
    """Return what the gateway answered; raise `Unavailable` with what it says where that is no answer."""
    document = _document(said)
    if said.status_code != 200:
        raise Unavailable(f"the gateway says {said.status_code}: {_reason(document)}")
    match document:
        case {"choices": [{"text": str() as text, **_rest}, *_others]}:
            return Answer(
                text=text,
                request=request_id(said.headers.get("x-request-id", "")),
                model_digest=said.headers.get("x-ringfence-model-digest", "unknown"),
                basis=said.headers.get("x-ringfence-digest-basis", ""),
                milliseconds=milliseconds,
                tokens=_tokens(document),
            )
        case _:
            raise Unavailable("what came back is no completion; does this engine complete text?")


def _document(said: httpx.Response) -> Any:
    if len(said.content) > LARGEST:
        raise Unavailable(f"what came back has more than {LARGEST} bytes")
    try:
        return json.loads(said.content)  # with its floats, which are none of our formats
    except (ValueError, RecursionError):
        return None


def _reason(document: Any) -> str:
    match document:
        case {"error": {"message": str() as message, **_rest}, **_more}:
            return printable(message, 300)
        case _:
            return "it does not say why"


def _tokens(document: Any) -> int | None:
    match document:
        case {"usage": {"completion_tokens": int() as count, **_rest}}:
            return count
        case _:
            return None
