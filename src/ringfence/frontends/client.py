"""The one client: of an API by URL, of the running `ringfence up` by its socket, or of the same app in-process."""

import base64
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from ringfence.frontends import browser, in_process
from ringfence.kernel.commitment import SALT_SIZE, Opening, commit
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import (
    Conflict,
    InternalError,
    MalformedInput,
    NotFound,
    RingfenceError,
    Unavailable,
    UsageError,
    by_slug,
)
from ringfence.kernel.identifier import LogOrigin, PersonId, Tenant
from ringfence.kernel.statement import Draft, Issuance
from ringfence.settings import CONFIRMATION_HEADER, Settings
from ringfence.storage import keyfile, sockets
from ringfence.storage.files import read_bounded
from ringfence.storage.signer import Ed25519Signer
from ringfence.storage.tokensigner import TokenSigner, signer_in

SOCKET = "ringfence.sock"
TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_RETRIES = 25  # sequence conflicts with other processes of the same operator


@dataclass(slots=True)
class Client:
    """Speak to the API as one operator."""

    http: httpx.Client
    settings: Settings
    _signer: Ed25519Signer | TokenSigner | None = None
    _me: dict[str, Any] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """Return where local bytes lie."""
        return self.settings.home

    @property
    def me(self) -> dict[str, Any]:
        """Return who is acting, in which tenant and log."""
        if not self._me:
            self._me = self.get("/api/v1/me")
        return self._me

    @property
    def tenant(self) -> Tenant:
        """Return the tenant that is acted in."""
        return Tenant(self.me["tenant"])

    @property
    def person(self) -> PersonId:
        """Return who is acting."""
        return PersonId(self.me["person"])

    def get(self, path: str, **parameters: Any) -> Any:
        """Read; raise the error family from problem details."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._answer("GET", path, params=given)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Write; raise the error family from problem details."""
        return self._answer("POST", path, json=dict(body or {}))

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Replace; raise the error family from problem details."""
        return self._answer("PUT", path, json=dict(body))

    def state(
        self,
        draft: Draft,
        *,
        path: str = "/api/v1/statements",
        body: Mapping[str, Any] | None = None,
        signer: Ed25519Signer | TokenSigner | None = None,
        with_passkey: bool = False,
    ) -> dict[str, Any]:
        """Sign `draft` with the operator's key, or with the one given, and post it; return the answer.

        The next place in the key's sequence is asked for; where another process took it meanwhile, it is asked for
        again. The idempotency key stays the same, so that a repeated post records once. What only a passkey signs
        (`with_passkey`) is signed in the browser, wherever else acts are signed.
        """
        keyed = replace(draft, idempotency_key=draft.idempotency_key or secrets.token_hex(16))
        if (self.settings.sign_with or with_passkey) and signer is None and browser.is_act(path):
            return self.signed_in_browser(keyed, path)
        opening = commit(keyed.details, secrets.token_bytes(SALT_SIZE)) if keyed.details else None
        for attempt in range(_RETRIES):
            envelope = self._signed(keyed, opening, signer or self.signer())
            try:
                return dict(self.post(path, posted(envelope, opening) | dict(body or {})))
            except Conflict as error:
                if "sequence" not in str(error) or attempt == _RETRIES - 1:
                    raise
        raise InternalError("the loop above returns or raises")

    def signed_in_browser(self, draft: Draft, path: str) -> dict[str, Any]:
        """Let the person's passkey sign `draft` in the console; return what came of it.

        Raises:
            Unavailable: no console runs, or nobody signed in time.
        """
        if not self.settings.url and not listening(self.home / SOCKET):
            raise Unavailable("a passkey signs in the console: start `ringfence up`, or unset RINGFENCE_SIGN_WITH")
        return browser.sign(self, self.settings, draft, path)

    def _signed(self, draft: Draft, opening: Opening | None, signer: Ed25519Signer | TokenSigner) -> Envelope:
        issuance = Issuance(
            tenant=self.tenant,
            log=LogOrigin(self.me["log"]),
            issuer=signer.key,
            strength=draft.strength,
            sequence=int(self.get(f"/api/v1/sources/{signer.key}")["next"]),
            nonce=secrets.token_hex(16),
            idempotency_key=draft.idempotency_key,
            issued_at=_now(),
            demo=bool(self.me["demo"]),
        )
        commitment = opening.commitment if opening else None
        return signer.sign(draft.issued(issuance, commitment))

    def signer(self) -> Ed25519Signer | TokenSigner:
        """Return the operator's signing key, from the key file or from the token that it names."""
        if self._signer is None:
            self._signer = signer_in(operator_keys(self.settings), "signing")
        return self._signer

    def _answer(self, method: str, path: str, **request: Any) -> Any:
        try:
            answer = self.http.request(method, path, **request)
        except httpx.ConnectError as error:
            raise Unavailable(f"nothing answers at {self.http.base_url}: is `ringfence up` running there?") from error
        except httpx.TimeoutException as error:
            raise Unavailable(f"{self.http.base_url} did not answer in time; try again") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"the connection to {self.http.base_url} broke: {error}") from error
        if answer.is_success:
            return _content(answer)
        raise _raised(answer)


def _content(answer: httpx.Response) -> Any:
    kind = answer.headers.get("content-type", "").partition(";")[0]
    try:
        if kind == "application/json":
            return answer.json()
    except ValueError as error:
        raise Unavailable(f"{answer.url} did not answer with JSON; is this Ringfence?") from error
    if kind not in {"text/plain", "text/csv"}:
        raise Unavailable(f"{answer.url} answered with {kind or 'nothing'}; is this Ringfence?")
    return answer.text


def _now() -> datetime:
    return datetime.fromtimestamp(int(_time_ns() // 1_000_000) / 1000, tz=UTC)


def _time_ns() -> int:
    import time

    return time.time_ns()


def posted(envelope: Envelope, opening: Opening | None) -> dict[str, Any]:
    """Return the body that carries a statement with its side record."""
    return {
        "envelope": base64.b64encode(envelope.data).decode(),
        "opening": opening.to_text() if opening else None,
    }


def _raised(answer: httpx.Response) -> RingfenceError:
    try:
        details = answer.json()
        kind = by_slug(str(details["type"]).rpartition(":")[2])
        message = str(details["detail"])
    except (ValueError, KeyError, TypeError):
        return Unavailable(f"the API answered {answer.status_code} without saying why; is this Ringfence?")
    if kind is MalformedInput:
        return MalformedInput(message)
    return kind(message)


def operator_path(settings: Settings) -> Path:
    """Return the key file of the operator who acts: `RINGFENCE_OPERATOR`, or the home's default."""
    chosen = settings.operator
    if not chosen:
        default = settings.home / "operator"
        if not default.exists():
            raise NotFound(f"there is no home of Ringfence in {settings.home}; run `ringfence init` first")
        chosen = read_bounded(default, limit=200).decode("ascii", "replace").strip()
    if not chosen.startswith("person-") or not chosen[7:].isalnum():
        raise UsageError("RINGFENCE_OPERATOR names a person id such as person-0123456789ab; see `ringfence user list`")
    return settings.home / "operators" / f"{chosen}.key"


def operator_keys(settings: Settings) -> keyfile.KeyFile:
    """Open the operator's key file."""
    return keyfile.load(operator_path(settings), settings.passphrase())


def _own_token(settings: Settings) -> str:
    try:
        return operator_keys(settings).secret("token").decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedInput("the token in it is damaged", source=str(operator_path(settings))) from error


@contextmanager
def connect(settings: Settings | None = None) -> Iterator[Client]:
    """Open the client: URL, socket, or in-process, whichever is there first."""
    known = settings or Settings.from_environment()
    token = known.token or _own_token(known)
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    if known.confirmation:
        headers[CONFIRMATION_HEADER] = known.confirmation
    with (
        _transport(known) as (base, transport),
        httpx.Client(base_url=base, transport=transport, headers=headers, timeout=TIMEOUT, trust_env=False) as http,
    ):
        yield Client(http, known)


@contextmanager
def _transport(settings: Settings) -> Iterator[tuple[str, httpx.BaseTransport | None]]:
    path = settings.home / SOCKET
    if settings.url:
        yield settings.url, None
    elif listening(path):
        with sockets.named(path) as name:
            yield "http://ringfence", httpx.HTTPTransport(uds=name)
    else:
        with in_process.opened(settings) as app, start_blocking_portal() as portal:
            yield "http://ringfence", InProcessTransport(app, portal)


def listening(path: Path) -> bool:
    """Return whether a running `ringfence up` takes connections at a socket."""
    if not path.is_socket():
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            sockets.connect(probe, path)
        except OSError:
            return False
    return True


class InProcessTransport(httpx.BaseTransport):
    """Run the ASGI app on a loop in a thread of its own: the same path as over a socket, without one.

    In a thread, since the caller may sit in a loop already: a notebook that reads `sealed://` does.
    """

    def __init__(self, app: Any, portal: BlockingPortal) -> None:
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._portal = portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._portal.call(self._answer, request)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        answer = await self._inner.handle_async_request(sent)
        body = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=body, request=request)
