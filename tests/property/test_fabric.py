"""Any sequence of verbs: who is quarantined reaches nobody, and a release gives back exactly what was."""

from hypothesis import given
from hypothesis import strategies as st

from ringfence.fabric import desired, protocol, ruleset
from ringfence.fabric.desired import Desired
from ringfence.fabric.slots import Slots
from ringfence.kernel.errors import RingfenceError

NODES = st.sampled_from(["a", "b", "c", "d"])
PORTS = st.integers(1, 3)
STEPS = st.one_of(
    st.tuples(st.sampled_from([desired.attach, desired.detach, desired.admit, desired.quarantine]), NODES),
    st.tuples(st.sampled_from([desired.permit, desired.forbid]), NODES, NODES, PORTS),
    st.tuples(st.sampled_from([desired.expose, desired.hide]), NODES, PORTS),
    st.tuples(st.just(desired.block), st.sampled_from(["203.0.113.7", "203.0.113.8"]), st.integers(0, 9)),
)


def after(steps, state=None):
    state = state or Desired()
    for step, *arguments in steps:
        try:
            state = step(state, *arguments)
        except RingfenceError:
            continue
    return state


def applied(elements, script):
    """Apply a script of element changes the way nft does: deleting what is not there is an error."""
    elements = set(elements)
    for line in script.splitlines():
        verb, _, family, _, name, value = line.split(" ", 5)
        element = (family, name, value.removeprefix("{ ").removesuffix(" }"))
        if verb == "delete":
            elements.remove(element)
        else:
            assert element not in elements
            elements.add(element)
    return elements


@given(st.lists(STEPS, max_size=30))
def test_who_is_quarantined_is_in_no_set_that_lets_packets_through(steps):
    state = after(steps)
    for name, port in state.ports.items():
        passes = {(set_name, value) for _, set_name, value in ruleset.elements(state)}
        link = f'"{port.interface}" . {port.address}'
        admitted = ("admitted", link) in passes
        assert admitted == (("reachable", port.address) in passes) == state.admits(name)
        assert not (admitted and port.quarantined)


@given(st.lists(STEPS, max_size=30), NODES)
def test_a_release_gives_back_what_was(steps, node):
    state = after([(desired.attach, node), *steps, (desired.attach, node)])
    if state.port(node).quarantined:
        return
    cut = desired.quarantine(state, node)
    assert desired.release(cut, node, desired.pre_state(cut, node)) == state
    assert ruleset.elements(desired.release(cut, node, desired.pre_state(state, node))) == ruleset.elements(state)


@given(st.lists(STEPS, max_size=30), NODES)
def test_a_cut_changes_nothing_of_anybody_else(steps, node):
    state = after([(desired.attach, node), *steps, (desired.attach, node)])
    cut = desired.quarantine(state, node)
    gone = ruleset.elements(state) - ruleset.elements(cut)
    assert all(state.port(node).address in value for _, _, value in gone)
    assert not ruleset.elements(cut) - ruleset.elements(state)


@given(st.lists(STEPS, max_size=20), st.lists(STEPS, max_size=20))
def test_a_difference_leads_from_one_ruleset_to_the_other(first, second):
    old = after(first)
    new = after(second, old)
    assert applied(ruleset.elements(old), ruleset.change(old, new)) == ruleset.elements(new)


@given(st.lists(STEPS, max_size=30))
def test_a_state_survives_its_file(steps):
    state = after(steps)
    assert desired.load(desired.dump(state)) == state


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_message_raises_anything_else(message):
    for read, kind in ((protocol.parse_question, tuple), (protocol.parse_answer, dict)):
        try:
            assert type(read(message)) is kind
        except RingfenceError:
            continue


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda v: st.lists(v, max_size=3), max_leaves=4
)


@given(st.sampled_from(sorted(protocol.VERBS)), JSON)
def test_no_value_gets_past_its_field(verb, value):
    fields = dict.fromkeys(protocol.VERBS[verb], value)
    try:
        protocol.question(verb, fields)
    except (RingfenceError, TypeError):
        return
    assert all(isinstance(value, str | int) and not isinstance(value, bool) for value in fields.values())


@given(
    payloads=st.lists(st.binary(max_size=200), min_size=2, max_size=5),
    cut=st.integers(0, 300),
    noise=st.binary(min_size=1, max_size=40),
)
def test_a_torn_write_never_yields_anything_but_the_last_or_the_one_before(tmp_path_factory, payloads, cut, noise):
    path = tmp_path_factory.mktemp("slots") / "state"
    slots = Slots(path)
    slots.load()
    for payload in payloads:
        slots.save(payload)
    slots.close()
    with path.open("r+b") as torn:
        torn.seek(len(payloads) % 2 * (1 << 20) + cut)
        torn.write(noise)
    slots = Slots(path)
    try:
        assert slots.load() in payloads[-2:]
    finally:
        slots.close()
        path.unlink()
