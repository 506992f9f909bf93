"""An OpenID provider over HTTPS: bounded answers, no redirects, keys kept for an hour."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ringfence.identity.federation import metadata as published
from ringfence.identity.federation.model import Client, Metadata
from ringfence.kernel.errors import NotFound, Unavailable, VerificationFailed
from ringfence.storage.files import read_private

TIMEOUT = httpx.Timeout(5.0)
KEPT_SECONDS = 3600.0
FRESH_AFTER_SECONDS = 60.0  # who sends tokens by unknown keys does not have us ask the provider each time


@dataclass(frozen=True, slots=True)
class ClientFile:
    """The provider that this home names, in a file that nobody else reads; none without the file."""

    path: Path

    def __call__(self) -> Client | None:
        """Return what the provider knows us as; raise `MalformedInput` where the file does not say it."""
        if not self.path.exists():
            return None
        return published.parse_client(read_private(self.path), source=self.path.name)


@dataclass(slots=True)
class HttpProvider:
    """`Provider` over the network; without a client there is none."""

    configured: Callable[[], Client | None]
    _metadata: tuple[float, Metadata] | None = None
    _keys: tuple[float, str, list[dict[str, Any]]] | None = None  # when, from where, what
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def metadata(self) -> Metadata:
        """Return what the provider says of itself."""
        issuer = self._known().issuer
        with self._lock:
            kept = self._metadata
            if kept is None or kept[1].issuer != issuer or time.monotonic() - kept[0] > KEPT_SECONDS:
                data = _read("GET", issuer.rstrip("/") + published.WELL_KNOWN)
                kept = self._metadata = time.monotonic(), published.parse(data, issuer=issuer)
            return kept[1]

    def keys(self, *, fresh: bool = False) -> Sequence[Mapping[str, Any]]:
        """Return the provider's keys; a `fresh` set is fetched at most once a minute."""
        address = self.metadata().jwks_uri
        with self._lock:
            kept, most = self._keys, FRESH_AFTER_SECONDS if fresh else KEPT_SECONDS
            if kept is None or kept[1] != address or time.monotonic() - kept[0] > most:
                kept = self._keys = time.monotonic(), address, published.parse_keys(_read("GET", address))
            return kept[2]

    def exchange(self, code: str, verifier: str) -> str:
        """Turn a code into an ID token."""
        client = self._known()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "client_id": client.client_id,
            "code_verifier": verifier,
        }
        login = httpx.BasicAuth(client.client_id, client.secret) if client.secret else None
        return published.parse_token_answer(_read("POST", self.metadata().token_endpoint, data=form, auth=login))

    def _known(self) -> Client:
        client = self.configured()
        if client is None:
            raise NotFound("no identity provider is configured here")
        return client


def _read(method: str, address: str, **request: Any) -> bytes:
    try:
        with (
            httpx.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False) as http,
            http.stream(method, address, headers={"accept": "application/json"}, **request) as answer,
        ):
            found = bytearray()
            for part in answer.iter_bytes():
                found += part
                if len(found) > published.MAX_DOCUMENT:
                    raise VerificationFailed("the identity provider's answer is longer than it may be")
            status = answer.status_code
    except httpx.HTTPError as error:
        raise Unavailable(f"the identity provider does not answer: {type(error).__name__}") from error
    if status >= 500:
        raise Unavailable(f"the identity provider answers with {status}")
    if status != 200:
        raise VerificationFailed(f"the identity provider refuses with {status}")
    return bytes(found)
