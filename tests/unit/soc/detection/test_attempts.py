"""One attempt counts once, however many lines tell of it."""

import json
from datetime import UTC, datetime

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection.attempts import Attempts
from ringfence.soc.detection.book import micros
from ringfence.soc.sources.auth import AuthLog
from ringfence.soc.sources.syslog import Calendar, Frames

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PAM = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root"
FAILED = "Failed password for root from 192.0.2.1 port 40000 ssh2"
ENDED = "Connection closed by authenticating user root 192.0.2.1 port 40000 [preauth]"
MORE = "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root"


def weights(*messages: str, attempts: Attempts | None = None, pid: int = 7, at: str = "00:00:00") -> list[int]:
    log, watched = AuthLog(None, Frames(Calendar(2026))), attempts or Attempts()
    events = [log.read(f"Jan  1 {at} a sshd[{pid}]: {message}", NOW) for message in messages]
    return [watched.weigh(event, micros(event.at)) for event in events if event is not None]


def test_pam_and_failed_are_one() -> None:
    assert weights(PAM, FAILED, ENDED) == [1, 0, 0]


def test_each_wrong_password_is_one() -> None:
    assert weights(PAM, FAILED, FAILED, FAILED, MORE, ENDED) == [1, 0, 1, 1, 0, 0]


def test_repeats_and_the_sum_of_pam_are_the_same_attempts() -> None:
    assert weights(PAM, FAILED, f"message repeated 2 times: [ {FAILED}]", MORE) == [1, 0, 2, 0]


def test_a_log_with_pam_only_counts_as_well() -> None:
    assert weights(PAM, MORE) == [1, 2]


def test_a_connection_that_only_ends_is_one() -> None:
    assert weights(ENDED) == [1]


def test_names_are_counted_apart_from_guesses() -> None:
    said = weights(
        "Invalid user x from 192.0.2.1 port 40000", "Failed password for invalid user x from 192.0.2.1 port 40000 ssh2"
    )
    assert said == [1, 1]


def test_another_process_and_a_process_number_used_again() -> None:
    attempts = Attempts()
    assert weights(PAM, FAILED, attempts=attempts) == [1, 0]
    assert weights(FAILED, attempts=attempts, pid=8) == [1]
    assert weights(ENDED, attempts=attempts, at="00:20:00") == [1]


def test_without_process_numbers_the_port_is_the_connection() -> None:
    log, attempts = AuthLog("n"), Attempts()
    lines = [FAILED, ENDED, FAILED.replace("40000", "40001"), ENDED.replace("40000", "40001")]
    events = [log.read(f"2026-01-01T00:00:00.000Z {line}", NOW) for line in lines]
    assert [attempts.weigh(event, micros(event.at)) for event in events if event] == [1, 0, 1, 0]


def test_bounded_and_survives_a_restart() -> None:
    attempts = Attempts(limit=2)
    for pid in (1, 2, 3):
        weights(FAILED, attempts=attempts, pid=pid)
    assert attempts.evicted == 1
    weights(FAILED, attempts=attempts, pid=4, at="00:20:00")
    assert attempts.evicted == 1  # what was idle is no loss
    weights(FAILED, attempts=attempts, pid=3)
    again = Attempts()
    again.restore(json.loads(json.dumps(attempts.snapshot())))
    assert weights(PAM, attempts=again, pid=3) == [0]


@pytest.mark.parametrize("state", [1, [1], [[["a", "b", "c"], {}]], [[["a", "b", "c"], []]]])
def test_what_is_no_snapshot_is_refused(state: object) -> None:
    with pytest.raises(MalformedInput):
        Attempts().restore(state)
