import pytest

from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.hotpath.routes import CHAT, called
from ringfence.gateway.hotpath.targets import REMEMBERED, Targets, engine_of, prepared, token
from ringfence.gateway.model import ApiKeyId, Basis, DeploymentName, DeploymentState, Protocol, ServedModel, Upstream
from ringfence.gateway.records import Route, Terms
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.testing.gateway import TENANT, api_key, deployment


@pytest.mark.parametrize(
    ("url", "engine", "prefix", "host"),
    [
        ("http://127.0.0.1:8000/v1", ("127.0.0.1", 8000, False, ""), "/v1", "127.0.0.1:8000"),
        ("https://engine.example/a/v1/", ("engine.example", 443, True, ""), "/a/v1", "engine.example"),
        ("http://[::1]:9/v1", ("::1", 9, False, ""), "/v1", "[::1]:9"),
    ],
)
def test_where_an_engine_is(url, engine, prefix, host):
    assert engine_of(Upstream(url)) == (engine, prefix, host)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x/v1", "http://", "http://u:p@x/v1", "http://x/v1?q=1", "http://x/v1#f", "http://x/a\r\nb", "http://x:99999/",
        "http://x/%0d%0a", "x", "http://a b/",
    ],
)  # fmt: skip
def test_what_is_no_engines_url(url):
    with pytest.raises(MalformedInput):
        engine_of(Upstream(url))


def test_the_head_carries_the_engines_credential_and_nothing_of_the_caller():
    target = prepared(
        deployment(url="http://h:1", upstream=Upstream("http://h:1", credential="f")), lambda _path: "tok"
    )
    assert target.head(CHAT) == (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: h:1\r\naccept-encoding: identity\r\nuser-agent: ringfence\r\n"
        b"authorization: Bearer tok\r\ncontent-type: application/json\r\n"
    )


def test_the_models_name_is_quoted_in_a_path():
    v2 = deployment(protocol=Protocol.INFERENCE_V2, model=ServedModel("a/b c", None, Basis.LOADED))
    head = prepared(v2).head(called("POST", b"/v2/models/small/infer"))
    assert head.startswith(b"POST /v1/models/a%2Fb%20c/infer HTTP/1.1\r\n")
    assert b"x-ringfence-model-digest: unknown\r\n" in prepared(v2).marks


@pytest.mark.parametrize("text", ["", "two words", "\u00e9", "a\r\nb", "x" * 5000])
def test_a_credential_is_one_token(tmp_path, text):
    path = tmp_path / "token"
    path.write_text(text)
    with pytest.raises(Unavailable) as caught:
        token(str(path))
    assert "words" not in str(caught.value)


def test_a_credential_may_end_its_line(tmp_path):
    (tmp_path / "token").write_text("abc\n")
    assert token(str(tmp_path / "token")) == "abc"
    with pytest.raises(Unavailable):
        token(str(tmp_path / "missing"))


POLICY = Digest.of(b"snapshot")
OTHER = api_key(id=ApiKeyId("k-ffffffffffff"), deployments=(DeploymentName("off"),))


def found(targets, key=None, name="small", protocol=Protocol.OPENAI):
    with pytest.raises(Problem) as caught:
        targets.find(key or api_key(), name, protocol)
    return caught.value.status, caught.value.code


def test_what_is_remembered_is_bounded():
    targets = Targets([deployment()])
    for number in range(REMEMBERED + 10):
        targets.granted(api_key(id=ApiKeyId(f"k-{number:012x}")), "small", CHAT, POLICY)
    assert len(targets._granted) == 10


def test_a_deployment_is_found_by_its_tenant_and_for_its_keys():
    targets = Targets([deployment(), deployment("bad", "ftp://x"), deployment("off", state=DeploymentState.FAILED)])
    assert targets.find(api_key(), "small", Protocol.OPENAI).deployment.name == "small"
    assert found(targets, name="other") == (404, "model_not_found")
    assert found(targets, api_key(tenant=Tenant("other"))) == (404, "model_not_found")
    assert found(targets, api_key(deployments=(DeploymentName("off"),))) == (404, "model_not_found")
    assert found(targets, protocol=Protocol.INFERENCE_V2) == (400, "wrong_protocol")
    assert found(targets, name="off") == (503, "not_serving")
    assert found(targets, name="bad") == (503, "not_callable")
    for _ in range(2):  # what was found once is remembered for the key that may have it, and for no other
        granted = targets.granted(api_key(), "small", CHAT, POLICY)
        with pytest.raises(Problem):
            targets.granted(OTHER, "small", CHAT, POLICY)
    assert granted.terms == Terms(api_key().id, TENANT, Route.CHAT_COMPLETIONS, "small", deployment().model, "", POLICY)
    assert granted.head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert [each.deployment.name for each in targets.ready()] == ["small"]
    assert [each.name for each in targets.of(api_key(deployments=(DeploymentName("off"),)))] == ["off"]
