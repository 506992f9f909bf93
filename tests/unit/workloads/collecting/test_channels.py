from datetime import timedelta

import pytest

from ringfence.gateway.deployments import Attach
from ringfence.gateway.model import DeploymentName
from ringfence.kernel.actor import Role
from ringfence.testing.callers import World
from ringfence.testing.collecting import FakeWire
from ringfence.testing.home import TENANT
from ringfence.workloads.collecting.channels import Address, Channel, Channels, Handshake, draft

NEAR, FAR = Address("127.0.0.1", 8400), Address("0.0.0.0", 8400)  # noqa: S104
ENGINE = Address("engine.example", 443)


@pytest.fixture
def look(clock):
    def made(*listening, upstreams=(), **answers):
        wire = FakeWire(listening, dict(answers.get("answers", {})))
        return Channels(wire, lambda _: upstreams, clock)(TENANT).claims

    return made


@pytest.fixture
def attach(services, home):
    """Attach a deployment by the real service, with an engine that always answers."""
    from dataclasses import replace

    gateway = replace(services.serving.gateway, engines=World())

    def made(url):
        wanted = Attach(DeploymentName("chat"), url)
        return gateway.attach(home.actor(Role.ENGINEER), wanted)[0]

    return made


def test_what_stays_on_the_machine_needs_no_tls(look):
    found = look(NEAR, Address("::1", 8401))
    assert (found["channels"], found["plaintext"], found["loopbackOnly"]) == (2, 0, True)


def test_a_listener_beyond_loopback_is_tried(look):
    assert look(FAR, answers={FAR: Handshake("")}) == {
        "channels": 1,
        "plaintext": 1,
        "weak": 0,
        "mutual": 0,
        "expiring": 0,
        "loopbackOnly": False,
        "unprobed": 0,
    }


def test_who_does_not_answer_is_not_judged(look):
    found = look(FAR)
    assert (found["channels"], found["plaintext"], found["unprobed"]) == (0, 0, 1)


@pytest.mark.parametrize(("version", "weak"), [("TLSv1.3", 0), ("TLSv1.2", 0), ("TLSv1.1", 1), ("SSLv3", 1)])
def test_versions_below_1_2_are_weak(look, version, weak):
    found = look(FAR, answers={FAR: Handshake(version)})
    assert (found["weak"], found["plaintext"]) == (weak, 0)


@pytest.mark.parametrize(("left", "expiring"), [(14, 1), (15, 0), (-1, 1)])
def test_a_certificate_that_ends_soon_or_has_ended_is_counted(look, clock, left, expiring):
    answer = Handshake("TLSv1.3", clock.now() + timedelta(days=left))
    assert look(FAR, answers={FAR: answer})["expiring"] == expiring


def test_an_engine_elsewhere_is_tried(look, attach):
    found = look(upstreams=[attach("https://engine.example/v1")], answers={ENGINE: Handshake("TLSv1.2")})
    assert (found["channels"], found["plaintext"], found["weak"], found["loopbackOnly"]) == (1, 0, 0, True)


def test_an_engine_on_this_machine_is_asked_in_the_clear(look, attach):
    found = look(upstreams=[attach("http://127.0.0.1:9/v1")])
    assert (found["channels"], found["plaintext"]) == (1, 0)


def test_an_engine_elsewhere_without_tls_is_plaintext_before_anybody_asks(look, attach):
    from dataclasses import replace

    near = attach("http://127.0.0.1:9/v1")
    far = replace(near, upstream=replace(near.upstream, url="http://engine.example/v1"))
    assert look(upstreams=[far])["plaintext"] == 1


def test_a_tunnel_to_a_node_shows_a_key_at_both_ends(look, attach):
    from dataclasses import replace

    near = attach("http://127.0.0.1:9/v1")
    tunnel = replace(near, node="n-00000001", upstream=replace(near.upstream, socket="chat.sock"))
    socket = replace(tunnel, node="")
    assert look(upstreams=[tunnel, socket])["mutual"] == 1


def test_addresses_stand_in_the_erasable_part_only(clock):
    made = draft(TENANT, [Channel("listener 192.0.2.7:8400", local=False, unreached="no route")], [], clock.now())
    assert "192.0.2.7" in str(made.details)
    assert "192.0.2.7" not in str(dict(made.claims))
