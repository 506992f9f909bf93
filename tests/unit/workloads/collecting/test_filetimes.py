import os
from datetime import UTC, datetime

from ringfence.workloads.collecting.filetimes import FileTimes

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_file_tells_when_it_was_written_by_its_name_below_the_root_or_in_full(tmp_path):
    path = tmp_path / "a.log"
    path.touch()
    os.utime(path, (AT.timestamp(), AT.timestamp()))
    assert FileTimes(tmp_path).written_at("a.log") == AT
    assert FileTimes(tmp_path / "elsewhere").written_at(str(path)) == AT


def test_a_file_that_is_not_there_tells_nothing(tmp_path):
    assert FileTimes(tmp_path).written_at("a.log") is None
