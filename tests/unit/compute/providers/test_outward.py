import pytest

from ringfence.compute.providers import guest_scripts, outward
from ringfence.compute.quarantine import holds

CONTROLLER = guest_scripts.CONTROLLER


@pytest.mark.parametrize(
    ("path", "said", "expected", "ok"),
    [
        ("metadata", "open", "open", False),
        ("metadata", "bash: line 3: printf: write error: Operation not permitted", "blocked", True),
        ("ipv6", "bash: connect: Network is unreachable", "not-tried: the machine has no way there", False),
        ("ipv6", "bash: line 1: exec: not found", "not-tried: there is nothing to try it with", False),
        ("metadata", "", "not-tried: there is nothing to try it with", False),
        (CONTROLLER, "no answer", "blocked", True),
        (CONTROLLER, "bash: connect: Connection refused", "open", False),
        (CONTROLLER, "timeout: not found", "not-tried: there is nothing to try it with", False),
    ],
)
def test_what_a_machine_says_is_judged(path, said, expected, ok):
    found = outward.judged(path, said)
    assert (found.observed, found.ok) == (expected, ok)


def test_silence_of_a_machine_that_does_not_answer_at_all_confirms_nothing():
    probes = outward._nothing("app-1 did not answer in time")
    assert not any(probe.ok for probe in probes)
    assert not holds(probes)


def test_what_comes_in_here_counts_more_than_what_is_said():
    with outward.socket.create_server(("127.0.0.1", 0)) as listener:
        where = listener.getsockname()
        with outward.socket.create_connection(where):
            assert not outward._heard(listener), "we ourselves end the wait"
