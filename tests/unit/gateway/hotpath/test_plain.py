import asyncio
import json

import pytest

from ringfence.gateway.hotpath import plain
from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.hotpath.routes import called
from ringfence.gateway.model import DeploymentState, Protocol
from ringfence.gateway.ports import FoundReceipt
from ringfence.testing.gateway import api_key, deployment
from ringfence.testing.gateway_desk import DeskLab

SERVED = [
    deployment(),
    deployment("down", state=DeploymentState.FAILED),
    deployment("tree", protocol=Protocol.INFERENCE_V2),
]


def in_loop(test):
    async def run():
        return test(DeskLab(asyncio.get_running_loop(), deployments=SERVED))

    return asyncio.run(run())


def test_models_are_those_that_answer():
    listed = in_loop(lambda lab: plain.models(lab.desk, api_key()))
    assert [each["id"] for each in listed["data"]] == ["small"]
    assert listed["data"][0]["digest"].startswith("sha256:")


@pytest.mark.parametrize("name", ["down", "tree", "other"])
def test_other_models_are_not_there(name):
    with pytest.raises(Problem, match="no deployment"):
        in_loop(lambda lab: plain.models(lab.desk, api_key(), name))


def test_a_gateway_that_refuses_is_alive_and_not_ready():
    def test(lab):
        lab.accesses.broken = True
        assert plain.health(lab.desk, called("GET", b"/v2/health/live")) == {"live": True}
        for path in (b"/healthz", b"/v2/health/ready"):
            with pytest.raises(Problem):
                plain.health(lab.desk, called("GET", path))

    in_loop(test)


def test_a_receipt_or_when_to_come_back():
    status, answer = plain.receipt(FoundReceipt(b"", 3), b"", close=True)
    assert (status, json.loads(answer.partition(b"\r\n\r\n")[2])["status"]) == (202, "pending")
    assert b"retry-after: 3\r\n" in answer
    assert plain.receipt(FoundReceipt(b"{}"), b"", close=False)[1].endswith(b"\r\n\r\n{}")
