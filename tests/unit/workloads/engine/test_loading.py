"""The loader as a process of its own, as it runs on a node: see also tests/system/test_deploy_start.py."""

import hashlib
import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ringfence.testing.engines import twice
from ringfence.tour.lab import until
from ringfence.workloads import shipping
from ringfence.workloads.engine import frames
from ringfence.workloads.engine.frames import LLAMA, ONNX, Header

NAME = f"small-{secrets.token_hex(4)}"  # no engine outside of this module has it
pytest.importorskip("onnxruntime", reason="no onnxruntime here (it is an extra)")


def load(model, header=None, sent=None):
    measured = f"sha256:{hashlib.sha256(model).hexdigest()}"
    line = frames.line(header or Header(ONNX, NAME, len(model), measured))
    done = subprocess.run(
        [sys.executable, "-I", "-c", shipping.BOOT, shipping.mark(NAME)],
        input=shipping.opening() + line + (model if sent is None else sent),
        capture_output=True, check=False, timeout=60, cwd="/",
    )  # fmt: skip
    return done.returncode, frames.answer(done.stdout)


def test_it_leaves_an_engine_behind_that_has_the_very_bytes():
    code, answer = load(twice())
    try:
        assert (code, answer.loaded, answer.engine) == (0, True, ONNX)
        assert answer.measured == f"sha256:{hashlib.sha256(twice()).hexdigest()}"
        body = json.dumps({"inputs": [{"name": "input", "shape": [1, 2], "datatype": "FP32", "data": [3, 4]}]})
        with closing(http.client.HTTPConnection("127.0.0.1", answer.port, timeout=10)) as connection:
            connection.request("POST", f"/v2/models/{NAME}/infer", body)
            assert json.load(connection.getresponse())["outputs"][0]["data"] == [6, 8]
        held = [str(entry.readlink()) for entry in Path(f"/proc/{answer.pid}/fd").iterdir()]
        assert len([name for name in held if "memfd:model" in name]) == 1, "what is hashed again is not there"
    finally:
        os.kill(answer.pid, signal.SIGKILL)


@pytest.mark.parametrize("other", [twice().replace(b"twice", b"thick"), twice()[:-1] + b"\xff"])
def test_other_bytes_than_announced_are_measured_and_not_loaded_although_they_could_be(other):
    code, answer = load(twice(), sent=other)
    assert (code, answer.loaded, answer.port) == (3, False, 0)
    assert answer.measured == f"sha256:{hashlib.sha256(other).hexdigest()}"


def test_what_ends_early_or_is_no_model_is_not_loaded():
    code, answer = load(twice(), sent=twice()[:-1])
    assert (code, answer.measured) == (3, "")
    assert "early" in answer.because
    code, answer = load(b"not a model")
    assert (code, answer.loaded) == (3, False)
    assert answer.because


def test_a_header_of_nonsense_is_answered():
    header = Header(LLAMA, NAME, 10, "sha256:" + "0a" * 32, context=1)
    code, answer = load(b"0123456789", header)
    assert (code, answer.because) == (3, "context is out of bounds")


def test_an_engine_that_dies_while_it_loads_is_answered_for(tmp_path):
    """Whatever kills the engine's process closes the pipe; the loader says so and does not wait."""
    del tmp_path
    limited = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**27, 2**27))\n" + shipping.BOOT
    measured = f"sha256:{hashlib.sha256(twice()).hexdigest()}"
    header = frames.line(Header(ONNX, NAME, len(twice()), measured))
    done = subprocess.run(
        [sys.executable, "-I", "-c", limited], input=shipping.opening() + header + twice(),
        capture_output=True, check=False, timeout=60, cwd="/",
    )  # fmt: skip
    answer = frames.answer(done.stdout)
    assert (done.returncode, answer.loaded) == (3, False)
    assert answer.because


def test_no_process_is_left_where_nothing_loads():
    before = children()
    load(b"not a model")
    until(lambda: children() <= before, "the end of the engine's process")


def children():
    mark = shipping.mark(NAME).encode()
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may end meanwhile
            found |= {place.name} if mark in (place / "cmdline").read_bytes() else set()
    return found
