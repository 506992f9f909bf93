"""The detector from lines to findings: who is named, what is counted, what survives."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.soc.detection import shipped
from ringfence.soc.detection.correlate import Limits
from ringfence.soc.detection.detector import Detector
from ringfence.soc.detection.sigma import load
from ringfence.soc.model import Finding
from ringfence.soc.sources.auth import AuthLog

pytest.importorskip("sigma", reason="pySigma is not installed (extra soc)")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
START = datetime(2026, 3, 7, tzinfo=UTC)


def line(second: float, text: str = "", source: str = "192.0.2.1", port: int = 0) -> str:
    at = (START + timedelta(seconds=second)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{at} {text or 'Failed password for root'} from {source} port {port or 20000 + int(second)} ssh2"


def fed(lines: Iterable[str], detector: Detector | None = None, node: str = "n-0000000a") -> list[list[Finding]]:
    log, watching = AuthLog(node), detector or Detector(shipped.rules())
    found = []
    for each in lines:
        event = log.read(each, NOW)
        found.append(watching.feed(event) if event else [])
    return found


def last(lines: Iterable[str]) -> dict[str, Finding]:
    return {finding.rule: finding for each in fed(lines) for finding in each}


def test_the_fifth_failure_is_a_finding_and_the_sixth_extends_it() -> None:
    found = fed(line(each) for each in range(6))
    assert [len(each) for each in found] == [0, 0, 0, 0, 1, 1]
    fifth, sixth = found[4][0], found[5][0]
    assert (fifth.rule, fifth.subject, fifth.source) == ("ssh-guessing", "n-0000000a", "192.0.2.1")
    assert (fifth.count, sixth.count, fifth.id == sixth.id) == (5, 6, True)
    assert (sixth.first_seen, sixth.last_seen) == (START, START + timedelta(seconds=5))
    assert (len(set(sixth.evidence)), sixth.technique) == (6, ("T1110",))


def test_a_success_after_guessing_is_critical() -> None:
    told = last([*(line(each) for each in range(5)), line(300, "Accepted password for root")])
    assert told["ssh-guessing-then-success"].severity == "critical"
    assert told["ssh-guessing-then-success"].source == "192.0.2.1"


@pytest.mark.parametrize(
    "after", [line(305, "Accepted password for root"), line(6, "Accepted password for root", "192.0.2.2")]
)
def test_a_success_too_late_or_of_somebody_else_is_not(after: str) -> None:
    assert set(last([*(line(each) for each in range(5)), after])) == {"ssh-guessing"}


def test_a_success_before_the_guessing_is_not() -> None:
    told = [line(0, "Accepted password for root"), *(line(each) for each in range(1, 7))]
    assert set(last(told)) == {"ssh-guessing"}


def test_a_late_guess_that_completes_the_guessing_after_the_success_is_not() -> None:
    told = [line(0), line(1), line(20), line(21), line(10, "Accepted password for root"), line(3)]
    assert set(last(told)) == {"ssh-guessing"}


def test_repeats_are_expanded_in_counts() -> None:
    at = "2026-03-07T00:00:00Z"
    told = last([f"{at} message repeated 6 times: [ Failed password for root from 192.0.2.1 port 22 ssh2]"])
    assert told["ssh-guessing"].count == 6


def test_many_keys_of_an_agent_are_no_guessing() -> None:
    key = ": RSA SHA256:" + "a" * 43
    told = [line(each, "Failed publickey for root") + key for each in range(20)]
    assert last([*told, line(30, "Accepted publickey for root") + key]) == {}


@pytest.mark.parametrize(
    "name",
    [
        "x from 10.0.0.9 port 22 ssh2",
        "\\n2026-03-07T00:00:00Z Failed password for root from 10.0.0.9 port 22 ssh2",
        "\x1b[2J\x1b[1;1H from 10.0.0.9",
        "\udcff\udcfe from 10.0.0.9 port 1 ssh2: RSA SHA256:" + "a" * 43,
        '" rhost=10.0.0.9 user="',
        "n-0000000b sshd[1]: Failed password for root from 10.0.0.9 port 22 ssh2",
    ],
)
def test_forged_names_give_findings_about_the_true_source_only(name: str) -> None:
    told = [line(each, f"Failed password for invalid user {name}") for each in range(6)]
    told += [line(each + 10, f"Invalid user {name}").removesuffix(" ssh2") for each in range(9)]
    found = last(told)
    assert set(found) == {"ssh-guessing", "ssh-unknown-user-guessing"}
    assert {(each.subject, each.source) for each in found.values()} == {("n-0000000a", "192.0.2.1")}


def test_lines_that_claim_another_node_concern_the_one_that_sent_them() -> None:
    told = [line(each).replace("Z ", "Z n-0000000b sshd[9]: ", 1) for each in range(6)]
    assert {each.subject for each in last(told).values()} == {"n-0000000a"}


def test_after_an_hour_of_quiet_it_is_another_finding() -> None:
    found = fed([*(line(each) for each in range(5)), *(line(3700 + each) for each in range(5))])
    assert found[4][0].id != found[9][0].id
    assert found[9][0].count == 5


def test_a_delivery_counts_once() -> None:
    detector, log = Detector(shipped.rules()), AuthLog("n-0000000a")
    text = line(0)
    events = [log.read(text, NOW, uid) for uid in ("a", "a", "b", "b", "c", "a")]
    assert [detector.feed(event) for event in events if event] == [[]] * 6
    assert detector.duplicates == 3


def test_a_restart_in_the_middle_changes_nothing() -> None:
    told = [*(line(each) for each in range(8)), line(9, "Accepted password for root"), line(10)]
    whole = fed(told)
    for cut in range(len(told)):
        before, after = Detector(shipped.rules()), Detector(shipped.rules())
        found = fed(told[:cut], before)
        after.restore(json.loads(json.dumps(before.snapshot())))
        assert found + fed(told[cut:], after) == whole


def test_what_is_no_snapshot_is_refused() -> None:
    with pytest.raises(MalformedInput):
        Detector(shipped.rules()).restore({"format": 0})
    with pytest.raises(MalformedInput):
        Detector(shipped.rules()).restore({"format": 2})


def test_losses_are_counted() -> None:
    detector = Detector(shipped.rules(), Limits(groups=3))
    fed([line(each, source=f"192.0.2.{each}") for each in range(9)], detector)
    assert detector.counters().evicted == 6 + 6 + 6  # groups of guesses, of guesses on an account, and connections


def test_a_rule_that_nothing_refers_to_makes_findings_itself() -> None:
    text = (
        "title: t\nname: t\nlogsource: {service: sshd}\ndetection: {s: {user.name: eve}, condition: s}\nlevel: high\n"
    )
    found = fed([line(0, "Accepted password for eve"), line(1)], Detector(load([text])))
    assert [[(each.rule, each.severity, each.count) for each in some] for some in found] == [[("t", "high", 1)], []]
