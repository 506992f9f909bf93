"""The network behind anchoring: one bounded request over HTTP, nothing followed elsewhere, no proxy asked."""

import asyncio
from dataclasses import dataclass

import httpx

from ringfence.kernel.errors import Unavailable
from ringfence.ledger.anchoring.model import Reply
from ringfence.ledger.anchors.exchange import MAX_ANSWER, PATH
from ringfence.ledger.anchors.timestamp import MAX_TOKEN

WITHIN = 20.0  # seconds for the whole of it: whoever sends a byte now and then keeps nobody waiting
STEP = httpx.Timeout(10.0, connect=3.0)
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


@dataclass(frozen=True, slots=True)
class HttpAnchors:
    """`Remote` over HTTP."""

    within: float = WITHIN

    def submit(self, url: str, body: bytes) -> Reply:
        """Submit a head to a witness; raise `Unavailable` where none answers."""
        status, kind, answer = self._posted(url + PATH, body, "text/plain; charset=utf-8", MAX_ANSWER)
        return Reply(status, kind, answer.decode("utf-8", "replace"))

    def stamp(self, url: str, request: bytes) -> bytes:
        """Ask an authority for a time stamp; raise `Unavailable` where none answers."""
        status, kind, answer = self._posted(url, request, QUERY, MAX_TOKEN)
        if status != 200 or kind.partition(";")[0].strip() != REPLY:
            raise Unavailable(f"what answers at {url} is no time-stamping authority: {status} {kind[:80]!r}")
        return answer

    def _posted(self, url: str, body: bytes, kind: str, limit: int) -> tuple[int, str, bytes]:
        try:
            return asyncio.run(asyncio.wait_for(_post(url, body, kind, limit), self.within))
        except TimeoutError as error:
            raise Unavailable(f"what answers at {url} does not come to an end within {self.within:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"nothing answers at {url}: {str(error) or type(error).__name__}") from error


async def _post(url: str, body: bytes, kind: str, limit: int) -> tuple[int, str, bytes]:
    headers = {"content-type": kind, "accept-encoding": "identity"}
    async with (
        httpx.AsyncClient(timeout=STEP, trust_env=False, follow_redirects=False) as client,
        client.stream("POST", url, content=body, headers=headers) as answer,
    ):
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise Unavailable(f"what answers at {url} is compressed, which was not asked for")
        content = b""
        async for part in answer.aiter_raw():
            content += part
            if len(content) > limit:
                raise Unavailable(f"what answers at {url} sends more than {limit} bytes")
        return answer.status_code, answer.headers.get("content-type", ""), content
