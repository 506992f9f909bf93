from ringfence.testing.home import TENANT
from ringfence.workloads import wires


def test_the_parts_of_an_installation_are_joined(services):
    keeping = services.deploying.keeping
    assert keeping.gateway is services.serving.gateway
    assert keeping.compute is services.cutoff.compute
    assert list(keeping.tenants()) == [TENANT]
    assert keeping.sockets.path("x").parent == services.home.path / "gateway" / "engines"


def test_the_first_round_forgets_what_was_starting(services):
    from ringfence.gateway.model import DeploymentState, Protocol, deployment_name

    gateway, turn = services.serving.gateway, wires.rounds(services.deploying)
    for name in ("one", "two"):
        gateway.starting(TENANT, deployment_name(name), protocol=Protocol.OPENAI, node="")
        turn()
    assert gateway.deployment(TENANT, deployment_name("one")).state is DeploymentState.FAILED
    assert gateway.deployment(TENANT, deployment_name("two")).state is DeploymentState.STARTING
