"""Sign an act in the browser instead of here: keep it with the server, say where, wait for what comes of it."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ringfence.kernel import drafts
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.kernel.statement import Draft
from ringfence.settings import DEFAULT_PORT, Settings

# Below these paths lie the acts of people; what else is signed is signed by a key in a file.
ACTS = (
    "/api/v1/nodes/", "/api/v1/incidents", "/api/v1/reviews/", "/api/v1/forms/", "/api/v1/risks", "/api/v1/exceptions",
    "/api/v1/opinions", "/api/v1/overrides/", "/api/v1/profiles/", "/api/v1/resolutions", "/api/v1/intakes/",
    "/api/v1/gates/",
)  # fmt: skip
_PLACE = 4  # of the parts of a path: "", api, v1, the kind, the place
POLL_SECONDS = 1.0


class Server(Protocol):
    """The API, as the client speaks to it."""

    def get(self, path: str, **parameters: Any) -> Any: ...
    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any: ...


def is_act(path: str) -> bool:
    """Return whether what is posted there can be signed in the browser."""
    return path.startswith(ACTS)


def sign(
    server: Server, settings: Settings, draft: Draft, path: str, pause: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """Return the server's answer to the signed act, as if it had been posted to `path`.

    Raises:
        Unavailable: nobody signed it in time.
    """
    parts = path.split("/")
    place = parts[_PLACE] if len(parts) > _PLACE else ""
    act = server.post("/api/v1/acts", {"draft": drafts.to_json(draft), "place": place})
    console = settings.console or settings.url or f"http://localhost:{DEFAULT_PORT}"
    sys.stderr.write(f"Read it and sign it with your passkey, before {act['until']}: {console}{act['page']}\n")
    sys.stderr.flush()
    while act["state"] != "signed":
        pause(POLL_SECONDS)
        try:
            act = server.get(f"/api/v1/acts/{act['act']}")
        except NotFound as error:
            raise Unavailable("nobody signed it in the browser in time; nothing was done; ask for it again") from error
    return dict(act["answer"])
