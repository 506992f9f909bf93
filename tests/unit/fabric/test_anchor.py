import os

import pytest

from ringfence.fabric import anchor, launch


def test_a_record_is_not_written_where_a_link_leads(tmp_path):
    (tmp_path / "one.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        anchor.record(tmp_path, "one.json")
    assert not (tmp_path / "elsewhere").exists()


def test_a_record_names_this_process_and_is_written_in_place(tmp_path):
    anchor.record(tmp_path, "one.json")
    inode = (tmp_path / "one.json").stat().st_ino
    anchor.record(tmp_path, "one.json")
    assert (tmp_path / "one.json").stat().st_ino == inode
    assert (tmp_path / "one.json").stat().st_mode & 0o077 == 0
    assert launch.living(tmp_path, "one.json") == os.getpid()
