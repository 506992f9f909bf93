"""The control socket: answers are bounded, in time, and never believed to be well formed."""

import pytest

from ringfence.compute.providers import monitor
from ringfence.kernel.errors import Unavailable
from ringfence.testing import emulator


def test_answers_come_by_command_and_events_are_passed_over(tmp_path) -> None:
    said = {"query-status": b'{"return": {"status": "running"}}\n'}
    with emulator.running(tmp_path / "m", answers=said) as far:
        assert monitor.ask(tmp_path / "m", "query-status", "query-uuid") == {
            "query-status": {"status": "running"},
            "query-uuid": {},
        }
    assert far.asked == ["qmp_capabilities", "query-status", "query-uuid"]


def test_a_path_may_be_longer_than_a_socket_s_address(tmp_path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    with emulator.running(deep / "m"):
        assert monitor.ask(deep / "m", "query-status") == {"query-status": {}}


@pytest.mark.parametrize("answer", [b"not json\n", b"\xff\xfe\n", b"", b'{"return"', b"[" * 100_000 + b"\n"])
def test_an_answer_that_does_not_parse_is_no_answer(tmp_path, answer: bytes) -> None:
    said = {"query-status": answer}
    with emulator.running(tmp_path / "m", answers=said), pytest.raises(Unavailable):
        monitor.ask(tmp_path / "m", "query-status", seconds=0.2)


def test_an_answer_behind_any_number_of_events_is_not_waited_for(tmp_path) -> None:
    said = {"query-status": emulator.EVENT * monitor.MOST_LINES + b'{"return": {}}\n'}
    with emulator.running(tmp_path / "m", answers=said), pytest.raises(Unavailable, match="anything but the answer"):
        monitor.ask(tmp_path / "m", "query-status")


def test_nobody_there_is_said(tmp_path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        monitor.ask(tmp_path / "m", "query-status")


def test_the_socket_is_ours_alone(tmp_path) -> None:
    with monitor.listening(tmp_path / "m"):
        assert (tmp_path / "m").stat().st_mode & 0o077 == 0


def test_the_third_end_is_taken_away_again(tmp_path) -> None:
    with emulator.running(tmp_path / "m") as far, monitor.tapped(tmp_path / "m"):
        pass
    assert far.asked[-4:] == ["netdev_add", "netdev_add", "netdev_del", "netdev_del"]


def test_a_third_end_that_is_refused_is_an_error(tmp_path) -> None:
    said = {"netdev_add": b'{"error": {"class": "GenericError", "desc": "no"}}\n'}
    with (
        emulator.running(tmp_path / "m", answers=said) as far,
        pytest.raises(Unavailable, match="adds no end"),
        monitor.tapped(tmp_path / "m"),
    ):
        pass
    assert far.asked[-2:] == ["netdev_del", "netdev_del"]


def test_a_machine_that_ended_is_not_waited_for(tmp_path) -> None:
    with pytest.raises(Unavailable, match="ended at once"):
        monitor.await_running(tmp_path / "m", lambda: False)


def test_a_running_machine_is_seen(tmp_path) -> None:
    said = {"query-status": b'{"return": {"status": "running"}}\n'}
    with emulator.running(tmp_path / "m", answers=said) as far:
        monitor.await_running(tmp_path / "m", lambda: True)
    assert far.asked[-1] == "query-status"
