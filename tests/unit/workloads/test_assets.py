from dataclasses import dataclass, replace
from types import SimpleNamespace

from ringfence.gateway.model import DeploymentState
from ringfence.obligations.threats.register import AssetKind
from ringfence.testing.home import TENANT
from ringfence.workloads.assets import Held, Measured
from ringfence.workloads.things import Belongings


@dataclass
class Register:
    """A register of a capability, made up."""

    things: list

    def all(self, _tenant):
        return self.things

    def deployments(self, _tenant):
        return self.things


def deployment(name, state):
    return SimpleNamespace(name=name, state=state)


def node(name, ended):
    return SimpleNamespace(id="n-00000001", spec=SimpleNamespace(name=name), ended=ended)


BELONGINGS = Belongings(
    Register([SimpleNamespace(dataset="4c1f", name="scans", subject=SimpleNamespace(name="dataset/4c1f"))]),
    Register([SimpleNamespace(model="7b", name="triage"), SimpleNamespace(model="8c", name="")]),
    Register([node("web", False), node("gone", True)]),
    Register([deployment("api", DeploymentState.SERVING), deployment("old", DeploymentState.STOPPED)]),
)


def test_everything_that_is_there_now_has_its_kind_name_and_place():
    assert [(one.kind, one.name, one.link) for one in Held(BELONGINGS)(TENANT)] == [
        (AssetKind.DATASET, "scans", "/evidence?subject=dataset/4c1f"),
        (AssetKind.MODEL, "triage", "/models"),
        (AssetKind.MODEL, "8c", "/models"),
        (AssetKind.ENDPOINT, "api", "/deployments"),
        (AssetKind.NODE, "web", "/nodes/web"),
    ]


def test_a_failed_endpoint_is_not_served():
    failed = Held(replace(BELONGINGS, gateway=Register([deployment("api", DeploymentState.FAILED)])))
    assert AssetKind.ENDPOINT not in {one.kind for one in failed(TENANT)}


def test_an_empty_installation_holds_nothing(services):
    assert Held(services.belongings)(TENANT) == []
    assert Measured(services.redteam)(TENANT) == []


def family(name, **changes):
    found = {
        "family": name, "planned": 500, "valid": 500, "successes": 0, "cases": 500, "attacks": 9, "asrPpm": 0,
        "lowerPpm": 0, "upperPpm": 7_600, "verdict": "pass", "label": "gate",
    }  # fmt: skip
    return found | changes


@dataclass
class Runs:
    """`RedTeam.runs`, newest first."""

    found: list

    def runs(self, _tenant):
        return self.found


def run(entry, *families):
    statement = SimpleNamespace(claims={"families": families})
    return SimpleNamespace(entry=entry, envelope=SimpleNamespace(statement=statement))


def test_a_bound_is_of_the_newest_run_that_tried_the_family():
    newest, older = run(9, family("encoded")), run(4, family("encoded", upperPpm=1), family("prompt-leak"))
    found = {bound.family: bound for bound in Measured(Runs([newest, older]))(TENANT)}
    assert (found["encoded"].entry, found["prompt-leak"].entry) == (9, 4)
    assert found["encoded"].words == "ASR ≤ 0.76 % (95 %, n=500; 500 of 500 valid, gate)"


def test_no_bound_is_a_bare_share():
    for changes in ({}, {"verdict": "fail", "lowerPpm": 61_000}, {"cases": 0, "valid": 0, "verdict": "inconclusive"}):
        (bound,) = Measured(Runs([run(1, family("encoded", **changes))]))(TENANT)
        assert "≤" in bound.words or "≥" in bound.words or "no bound" in bound.words
        assert "n=" in bound.words
