import pytest

from ringfence.kernel.errors import Unavailable
from ringfence.storage import said


def test_the_last_line_since_a_place_is_told(tmp_path):
    with said.kept(tmp_path / "log") as file:
        file.write(b"before\n")
        began = file.tell()
        assert said.since(file, began) == ""
        file.write(b"first\n  second \n\n")
        assert said.since(file, began) == "second"
    assert (tmp_path / "log").stat().st_mode & 0o77 == 0, "a link may stand in it"


def test_a_file_that_grew_too_long_is_begun_anew(tmp_path):
    (tmp_path / "log").write_bytes(b"x" * (said.LARGEST + 1))
    with said.kept(tmp_path / "log") as file:
        assert file.read() == b""


def test_a_link_in_its_place_is_not_followed(tmp_path):
    (tmp_path / "log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable), said.kept(tmp_path / "log"):
        pass
    assert not (tmp_path / "elsewhere").exists()
