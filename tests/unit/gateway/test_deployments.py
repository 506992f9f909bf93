from dataclasses import replace

import pytest

from ringfence.gateway import deployments
from ringfence.gateway.deployments import Seen
from ringfence.gateway.model import Basis, DeploymentState, Protocol, ServedModel, Upstream
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput
from ringfence.testing.clock import START
from ringfence.testing.gateway import TENANT, deployment

ABOUT = Digest.of(b"about")
LOADED = ServedModel("m", Digest.of(b"weights"), Basis.LOADED)
HERE = Upstream("http://127.0.0.1:1/v1")


def requested(before=None):
    return deployments.requested(
        TENANT, "small", protocol=Protocol.OPENAI, node="n-00000001", about=ABOUT, at=START, before=before
    )


def attached(model=LOADED, before=None):
    return deployments.attached(
        TENANT, "small", HERE, model, protocol=Protocol.OPENAI, about=ABOUT, at=START, before=before
    )


def test_what_is_attached_serves_with_a_declared_digest_whatever_was_asked_for():
    made = attached()
    assert (made.state, made.model.basis, made.model.digest) == (DeploymentState.SERVING, Basis.DECLARED, LOADED.digest)
    assert (made.node, made.subject) == ("", ABOUT)


def test_an_engine_of_ours_starts_without_a_model_and_serves_what_it_loaded():
    made = requested()
    assert (made.state, made.model.digest, made.upstream.url) == (DeploymentState.STARTING, None, "")
    served = deployments.serving(made, HERE, LOADED)
    assert (served.state, served.model, served.upstream) == (DeploymentState.SERVING, LOADED, HERE)


def test_what_is_loaded_has_a_digest():
    with pytest.raises(MalformedInput):
        deployments.serving(requested(), HERE, ServedModel("m", None, Basis.LOADED))


@pytest.mark.parametrize("state", [DeploymentState.SERVING, DeploymentState.FAILED, DeploymentState.STOPPED])
def test_only_what_starts_comes_to_serve(state):
    with pytest.raises(Conflict):
        deployments.serving(replace(requested(), state=state), HERE, LOADED)


@pytest.mark.parametrize("state", [DeploymentState.STARTING, DeploymentState.SERVING])
@pytest.mark.parametrize("make", [attached, requested])
def test_a_name_that_is_taken_is_not_taken_over(make, state):
    with pytest.raises(Conflict):
        make(before=deployment(state=state))
    for over in deployments.OVER:
        assert make(before=deployment(state=over)).name == "small"


def test_what_failed_says_why_and_is_reached_no_more():
    lost = deployments.failed(attached(), "the engine\x1bended")
    assert (lost.state, lost.because, lost.upstream.url) == (DeploymentState.FAILED, "the engine?ended", "")
    assert deployments.failed(lost, "again") == lost
    stopped = deployments.stopped(lost)
    assert (stopped.state, deployments.failed(stopped, "late")) == (DeploymentState.STOPPED, stopped)
    with pytest.raises(Conflict):
        deployments.stopped(stopped)


def test_the_model_is_the_one_asked_for_or_the_only_one():
    assert deployments.chosen_model("given", Seen((), ready=True)) == "given"
    assert deployments.chosen_model("", Seen(("only",), ready=True)) == "only"
    for models in ((), ("a", "b")):
        with pytest.raises(MalformedInput, match="--model"):
            deployments.chosen_model("", Seen(models, ready=True))


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 201])
def test_a_models_name_is_one_line(name):
    with pytest.raises(MalformedInput):
        deployments.model_name(name)


def test_the_subject_says_nothing_without_its_nonce():
    one, other = (deployments.subject(TENANT, "small", bytes([n]) * 32) for n in (1, 2))
    assert one != other
