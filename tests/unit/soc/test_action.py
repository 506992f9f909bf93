from ringfence.soc.action import Act, ActionKind, Reason, Response, Ruling


def act(kind, ruling):
    return Act(kind, "x", ruling, Reason.PLAYBOOK)


def test_only_a_taken_act_on_the_network_contains():
    assert act(ActionKind.ISOLATE_NODE, Ruling.TAKE).contains
    assert act(ActionKind.BLOCK_SOURCE, Ruling.TAKE).contains
    assert not act(ActionKind.ALERT, Ruling.TAKE).contains
    assert not any(act(ActionKind.ISOLATE_NODE, ruling).contains for ruling in Ruling if ruling is not Ruling.TAKE)


def test_a_response_finds_its_acts_by_kind():
    block = act(ActionKind.BLOCK_SOURCE, Ruling.TAKE)
    response = Response((block,), 0, 0, 3)
    assert response.act(ActionKind.BLOCK_SOURCE) is block
    assert response.act(ActionKind.ISOLATE_NODE) is None
