import pytest

from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.hotpath.routes import CHAT, Action, called
from ringfence.gateway.records import Route


def test_a_query_is_not_looked_at():
    assert called("POST", b"/v1/chat/completions?api-version=1") is CHAT


@pytest.mark.parametrize(
    ("method", "target", "action", "name"),
    [
        ("GET", b"/v1/models", Action.MODELS, ""),
        ("GET", b"/v1/models/small", Action.MODEL, "small"),
        ("GET", b"/v1/receipts/req-" + b"0" * 32, Action.RECEIPT, "req-" + "0" * 32),
        ("POST", b"/v2/models/tree/infer", Action.INFER, "tree"),
        ("GET", b"/v2/models/tree/ready", Action.DESCRIBE, "tree"),
        ("GET", b"/v2/models/tree", Action.DESCRIBE, "tree"),
        ("GET", b"/healthz", Action.HEALTH, ""),
    ],
)
def test_what_a_target_names(method, target, action, name):
    found = called(method, target)
    assert (found.action, found.name) == (action, name)
    assert (found.recorded is Route.INFERENCE_V2) == (action is Action.INFER)


@pytest.mark.parametrize(
    "target",
    [
        b"/", b"/v1/chat/completions/", b"/v1/models/UPPER", b"/v1/models/a%2fb", b"/v2/models/a/../b/infer",
        b"//v1/models",
        b"/v1/receipts/req-1", b"/v1/models/" + b"a" * 64, b"/v1/models/" + b"a" * 5000,
    ],
)  # fmt: skip
def test_anything_else_is_not_found(target):
    with pytest.raises(Problem) as caught:
        called("GET", target)
    assert caught.value.status == 404


def test_another_method_is_refused():
    with pytest.raises(Problem) as caught:
        called("GET", b"/v1/embeddings")
    assert caught.value.status == 405
