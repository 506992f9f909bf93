"""Answers that no engine is asked for: what is served, receipts, health."""

from time import time_ns
from typing import Any

from ringfence.gateway.hotpath.calls import described
from ringfence.gateway.hotpath.desk import Desk
from ringfence.gateway.hotpath.problem import Problem, answer_bytes
from ringfence.gateway.hotpath.routes import Action, Called
from ringfence.gateway.model import ApiKey, Deployment, DeploymentState, Protocol
from ringfence.gateway.ports import FoundReceipt
from ringfence.kernel.clock import to_millis


def shown(deployment: Deployment) -> dict[str, Any]:
    """Return a deployment as OpenAI shows a model, with what we know of its weights."""
    model = deployment.model
    return {
        "id": deployment.name,
        "object": "model",
        "created": to_millis(deployment.created_at) // 1000,
        "owned_by": deployment.tenant,
        "digest": str(model.digest) if model.digest else "unknown",
        "digest_basis": model.basis.value,
    }


def models(desk: Desk, key: ApiKey, name: str = "") -> Any:
    """Return the models that a key may call, or one of them.

    Raises:
        Problem: 404, there is none of that name for this key.
    """
    served = [
        each
        for each in desk.targets.of(key)
        if each.protocol is Protocol.OPENAI and each.state is DeploymentState.SERVING
    ]
    if not name:
        return {"object": "list", "data": [shown(each) for each in served]}
    for each in served:
        if each.name == name:
            return shown(each)
    raise Problem(404, "model_not_found", f"there is no deployment {name!r} for this key", param="model")


def health(desk: Desk, where: Called) -> Any:
    """Return whether the gateway serves.

    Raises:
        Problem: 503, it runs but refuses.
    """
    if where.action is Action.LIVE:
        return {"live": True}
    desk.fresh(time_ns())
    desk.check_recording()
    return {"ready": True} if where.action is Action.READY else {"status": "ok"}


def receipt(found: FoundReceipt, headers: bytes, *, close: bool) -> tuple[int, bytes]:
    """Return status and answer for a receipt that was looked for."""
    if found.body:
        return 200, answer_bytes(200, found.body, headers, close=close)
    waiting = described({"object": "receipt", "status": "pending"})
    headers += b"retry-after: %d\r\n" % max(1, found.retry_after)
    return 202, answer_bytes(202, waiting, headers, close=close)
