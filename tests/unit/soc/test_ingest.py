"""A file as a whole."""

from datetime import UTC, datetime, timedelta

import pytest

from ringfence.kernel.errors import UsageError
from ringfence.soc.detection import shipped
from ringfence.soc.ingest import Ingest, first_year, utc
from ringfence.testing.accesses import STRANGER, access

pytest.importorskip("sigma", reason="pySigma is not installed (extra soc)")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
FAILED = "a sshd[7]: message repeated 5 times: [ Failed password for root from 192.0.2.1 port 22 ssh2]\n"


def run(text: str, source: str = "sshd", node: str | None = None, year: int = 2026) -> dict[str, object]:
    return Ingest(shipped.rules(), source, node, year, NOW).run([text.encode()]).document()


def test_the_document_has_exactly_what_is_promised() -> None:
    assert run(f"Mar  7 00:00:00 {FAILED}\nnonsense\n") == {
        "lines": 3,
        "parsed": 2,
        "findings": [
            {
                "rule": "ssh-guessing",
                "subject": "a",
                "source": "192.0.2.1",
                "first_seen": "2026-03-07T00:00:00Z",
                "last_seen": "2026-03-07T00:00:00Z",
                "count": 5,
            }
        ],
    }


def test_the_named_node_reports() -> None:
    (finding,) = run(f"Mar  7 00:00:00 {FAILED}", node="n-1")["findings"]  # type: ignore[misc]
    assert finding["subject"] == "n-1"


def test_a_window_across_new_year() -> None:
    half = "a sshd[%d]: message repeated 3 times: [ Failed password for root from 192.0.2.1 port 22 ssh2]\n"
    told = "Dec 31 23:59:00 " + half % 1 + "Jan  1 00:01:00 " + half % 2
    (finding,) = run(told, year=2025)["findings"]  # type: ignore[misc]
    assert (finding["first_seen"], finding["last_seen"]) == ("2025-12-31T23:59:00Z", "2026-01-01T00:01:00Z")
    assert finding["count"] == 6


@pytest.mark.parametrize(
    ("stamps", "year"),
    [
        (["Mar 27 00:00:00", "Mar 31 00:00:00"], 2026),
        (["Dec 24 00:00:00"], 2025),
        (["Dec 31 00:00:00", "Jan  1 00:00:00", "Nov 30 00:00:00"], 2024),
        (["Feb 29 00:00:00"], 2024),
        (["2026-01-01T00:00:00Z"], None),
        (["nothing"], None),
    ],
)
def test_the_year_of_a_file_that_names_none(stamps: list[str], year: int | None) -> None:
    assert first_year(["".join(f"{stamp} a sshd[1]: x\n" for stamp in stamps).encode()], NOW) == year


def test_flow_records_and_unknown_sources() -> None:
    assert run("{}\n", source="flow") == {"lines": 1, "parsed": 0, "findings": []}
    with pytest.raises(UsageError, match="no source 'smoke'"):
        run("", source="smoke")


def test_times_as_they_are_printed() -> None:
    assert utc(NOW) == "2026-11-22T00:00:00Z"
    assert utc(NOW.replace(microsecond=1500)) == "2026-11-22T00:00:00.001Z"


def test_access_records_that_somebody_hands_in_are_read() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    lines = "".join(f"{access(at + timedelta(seconds=second), **STRANGER)}\n" for second in range(10)) + "no record\n"
    summary = Ingest(shipped.rules(), "gateway", None, 2026, at).run([lines.encode()])
    assert (summary.lines, summary.parsed, summary.events) == (11, 10, 10)
    assert [(each.rule, each.subject, each.count) for each in summary.findings] == [("api-key-guessing", "gateway", 10)]
