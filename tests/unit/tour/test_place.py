"""The step starts what can run here, and says of the rest why it cannot."""

import pytest

from ringfence.tour import place


class Acted:
    """A stage whose verbs answer from a table, and that keeps what was asked."""

    owner, security = "olga", "sara"

    def __init__(self, nodes=(), offers=()):
        self.nodes, self.offers, self.asked = list(nodes), list(offers), []

    def expect(self, *words, by=""):
        self.asked.append((" ".join(words), by))
        match words[:2]:
            case ("node", "offers"):
                return {"offers": self.offers}
            case ("node", "list"):
                return {"nodes": self.nodes}
            case ("node", "release"):
                return {"request": "sha256:abc"}
        return {}

    quietly = expect


def test_a_class_that_cannot_run_here_is_told_with_its_reason_and_not_started():
    stage = Acted(offers=[{"class": "namespace", "available": False, "because": "`bwrap` is missing"}])
    assert place.place(stage) == {"namespace": "cannot run here: `bwrap` is missing", "vm": "cannot run here: unknown"}
    assert not [asked for asked, _ in stage.asked if asked.startswith("node start")]


def test_nodes_of_an_earlier_tour_are_stopped_and_those_of_others_left():
    stage = Acted([{"name": name, "containment": "none"} for name in ("small", "somebody-elses")])
    place.stop(stage)
    assert [asked for asked, _ in stage.asked] == ["node list", "node stop small"]


def test_one_that_is_cut_off_is_released_by_two_people_before_it_is_stopped():
    stage = Acted([{"name": "small", "containment": "quarantined"}])
    place.clear(stage, "small")
    (_, asking, approving, stopping) = stage.asked
    assert asking[0].startswith("node release small --reason ")
    assert approving[0] == "node release small --approve sha256:abc"
    assert asking[1] != approving[1]
    assert stopping[0] == "node stop small"


def test_a_command_goes_through_our_own_ssh():
    assert place.ssh_command("small")[1:] == ["-I", "-m", "ringfence", "node", "ssh", "small", "--"]


@pytest.mark.parametrize(("available", "because", "said"), [(True, "", ""), (False, "`bwrap` is missing", "`bwrap`")])
def test_why_no_node_can_be_made_is_said(available, because, said):
    reason = place.no_nodes(Acted(offers=[{"class": "namespace", "available": available, "because": because}]))
    assert said in reason
    assert bool(reason) is not available
