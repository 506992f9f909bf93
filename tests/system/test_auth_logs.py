"""Real logs through the command: who is found, who is not, and that it works without a home."""

import gzip
import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ringfence.installation import SystemClock
from ringfence.soc.sources.auth import AuthLog
from ringfence.soc.sources.syslog import Calendar, Frames
from ringfence.testing.program import called, environment

pytest.importorskip("sigma", reason="pySigma is not installed (extra soc)")

LOGS = Path(__file__).parents[1] / "data" / "logs"
ELASTIC = LOGS / "elastic" / "auth.log.gz"
GUESSING = {
    "24.151.103.17",
    "181.25.206.27",
    "181.25.201.155",
    "218.60.136.106",
    "106.57.58.19",
    "181.23.168.176",
    "111.40.168.90",
}
ADMINISTRATOR = "85.245.107.41"
CROWDSEC = {
    "ssh-slow-bf": {"103.100.210.198"},
    "ssh-time-based-bf": {"10.0.0.101"},
    "sshd-bad-keyexchange-bf": {"123.123.123.123", "123.57.135.134", "206.189.59.169"},
    "sshd-invalid-bf": {"179.43.183.98"},
    "sshd_banner_exchange": {"59.91.122.57"},
    "sshd-logs-fp": set(),
}


def ingest(file: Path, *more: str) -> dict[str, Any]:
    done = called(
        {"RINGFENCE_HOME": "/nonexistent/home"}, "events", "ingest", str(file), "--source", "sshd", "--json", *more
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def sources(document: dict[str, Any], *rules: str) -> set[str]:
    return {each["source"] for each in document["findings"] if not rules or each["rule"] in rules}


def test_the_ground_truth_of_a_real_auth_log() -> None:
    document = ingest(ELASTIC, "--year", "2017")
    assert (document["lines"], document["parsed"]) == (3560, 3560)
    assert sources(document, "ssh-guessing") == GUESSING
    assert sources(document, "ssh-user-enumeration") == {"91.197.232.109"}
    assert sources(document, "ssh-guessing-then-success") == {"24.151.103.17"}
    assert sources(document) == GUESSING | {"91.197.232.109"}
    assert all(each["first_seen"].startswith("2017-03-") for each in document["findings"])


def test_repeats_and_sums_of_pam_each_tell_the_attempts_and_without_both_most_are_missed(tmp_path: Path) -> None:
    kept = tmp_path / "auth.log"
    lines = gzip.decompress(ELASTIC.read_bytes()).decode().splitlines(keepends=True)
    for left_out, found in (
        (("message repeated",), 7),
        ((" more authentication",), 7),
        (("message repeated", " more auth"), 3),
    ):
        kept.write_text("".join(each for each in lines if not any(words in each for words in left_out)))
        assert len(sources(ingest(kept), "ssh-guessing")) == found


def test_the_administrator_alone_gives_no_finding(tmp_path: Path) -> None:
    text = gzip.decompress(ELASTIC.read_bytes()).decode()
    kept = tmp_path / "auth.log"
    kept.write_text("".join(each for each in text.splitlines(keepends=True) if ADMINISTRATOR in each))
    document = ingest(kept)
    assert document["lines"] > 100
    assert document["findings"] == []


@pytest.mark.parametrize("case", sorted(CROWDSEC))
def test_crowdsec_cases(case: str) -> None:
    assert sources(ingest(LOGS / "crowdsec" / f"{case}.log")) == CROWDSEC[case]


def test_the_node_that_reports_is_named_by_the_caller() -> None:
    document = ingest(LOGS / "crowdsec" / "sshd-invalid-bf.log", "--node", "n-0000000a")
    assert {each["subject"] for each in document["findings"]} == {"n-0000000a"}
    assert set(document["findings"][0]) == {"rule", "subject", "source", "first_seen", "last_seen", "count"}


def test_the_year_is_told_and_no_line_lies_in_the_future() -> None:
    done = called({}, "events", "ingest", str(ELASTIC), "--source", "sshd", "--json")
    assert "the lines name no year" in done.stderr
    newest = max(each["last_seen"] for each in json.loads(done.stdout)["findings"])
    assert datetime.fromisoformat(newest) <= SystemClock().now()


def test_benign_lines_give_nothing(tmp_path: Path) -> None:
    """Ten thousand lines of people and machines that log in, now and then with a wrong password: no finding."""
    lines = []
    for number in range(2500):
        at = f"2026-03-{1 + number // 250:02d}T{number % 250 // 12:02d}:{number % 12 * 5:02d}:00.000Z"
        lines += [
            f"{at} Failed password for ann from 198.51.100.7 port {20000 + number} ssh2",
            f"{at} Accepted password for ann from 198.51.100.7 port {20000 + number} ssh2",
            f"{at} Failed publickey for deploy from 198.51.100.8 port {20000 + number} ssh2: RSA SHA256:{'a' * 43}",
            f"{at} Accepted publickey for deploy from 198.51.100.8 port {20000 + number} ssh2: RSA SHA256:{'b' * 43}",
        ]
    log = tmp_path / "benign.log"
    log.write_text("\n".join(lines))
    assert ingest(log) == {"lines": 10_000, "parsed": 10_000, "findings": []}


def test_standard_input_and_gzip() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ringfence", "events", "ingest", "-", "--source", "sshd", "--json", "--year", "2017"],
        input=ELASTIC.read_bytes(),
        env=environment({"RINGFENCE_HOME": "/nonexistent/home"}),
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert sources(json.loads(done.stdout), "ssh-guessing") == GUESSING


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nowhere.log", "--source", "sshd"], 2, "no file"),
        ([".", "--source", "sshd"], 2, "is a folder"),
        ([str(ELASTIC), "--source", "smoke"], 2, "no source 'smoke'"),
        ([str(ELASTIC), "--source", "sshd", "--year", "12"], 2, "--year"),
        ([str(ELASTIC), "--source", "sshd", "--node", "a b"], 2, "a node's name"),
    ],
)
def test_refusals_are_one_sentence(arguments: list[str], code: int, sentence: str) -> None:
    done = called({}, "events", "ingest", *arguments)
    assert (done.returncode, sentence in done.stderr, "Traceback" in done.stderr) == (code, True, False)


def test_damaged_gzip_is_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "auth.log.gz"
    broken.write_bytes(ELASTIC.read_bytes()[:3000])
    done = called({}, "events", "ingest", str(broken), "--source", "sshd")
    assert (done.returncode, "damaged" in done.stderr) == (2, True)


def fail2ban() -> list[tuple[dict[str, Any], str]]:
    """Return fail2ban's labelled lines that sshd or PAM for sshd wrote; GPL data, so never copied here."""
    folder = Path(os.environ.get("RINGFENCE_DATA", ""), "logs", "fail2ban")
    if not os.environ.get("RINGFENCE_DATA") or not folder.is_dir():
        pytest.skip("RINGFENCE_DATA names no folder with logs/fail2ban (GPL, never copied)")
    found = []
    for path in sorted(folder.iterdir()):
        label: dict[str, Any] | None = None
        for line in path.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            if line.startswith("# failJSON:"):
                label = json.loads(line.removeprefix("# failJSON:"))
            elif label is not None and not line.startswith("#"):
                if " sshd[" in line or " sshd-session[" in line:
                    found.append((label, line))
                label = None
    return found


def test_fail2ban_lines() -> None:
    """No line that must not count does; of the others at least 95 in 100 do, with the host that they must name."""
    counted, missed = 0, []
    for label, line in fail2ban():
        event = AuthLog(None, Frames(Calendar(2005))).read(line, SystemClock().now())
        failed = event is not None and event.fields["status"] == "Failure"
        host = event.fields["src_endpoint.uid"] if event is not None else None
        if not label["match"]:
            assert not failed, line
        elif failed and host == label["host"].lower():
            counted += 1
        else:
            missed.append(line)
    assert counted >= 0.95 * (counted + len(missed)), missed
    assert counted + len(missed) > 0
