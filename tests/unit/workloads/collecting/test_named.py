"""Names that people gave, read from a running installation."""

from ringfence.testing.home import TENANT
from ringfence.testing.staged import empty
from ringfence.workloads.collecting.named import Named
from ringfence.workloads.collecting.separation import NODE, Thing
from ringfence.workloads.collecting.wires import collectors


def of(services):
    desk, gateway = services.cutoff.compute.desk, services.serving.gateway
    return Named(desk, gateway, services.artifacts, services.ledger, services.clock)


def test_nodes_are_named_by_people_and_those_of_others_are_not_seen(home, clock):
    with empty(home, clock) as stage:
        stage.node("trainer")
        assert list(of(stage.services).things(TENANT)) == [Thing(NODE, "trainer")]
        assert list(of(stage.services).things("other")) == []
        assert list(of(stage.services).opened(TENANT, clock.now())) == []


def test_the_collector_reads_the_file_in_the_home(home, clock):
    with empty(home, clock) as stage:
        stage.node("trainer")
        look = collectors(stage.services)["env.separation"].collect.look
        assert look(TENANT).claims["environments"] == 0
        path = stage.services.home.path / "environments.json"
        path.touch(mode=0o600)
        path.write_text(
            '{"format": "urn:ringfence:environments:v1", "production": "p", '
            '"environments": {"p": {"nodes": ["train*"]}, "t": {}}}'
        )
        claims = look(TENANT).claims
        assert (claims["environments"], claims["unassigned"], claims["shared"]) == (2, 0, 0)
