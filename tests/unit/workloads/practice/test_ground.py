from dataclasses import replace

import pytest

from ringfence.identity.model import TenantRecord
from ringfence.kernel.errors import MalformedInput, Refused, UsageError
from ringfence.kernel.identifier import LogOrigin, Tenant
from ringfence.testing.clock import START
from ringfence.testing.home import LOG
from ringfence.workloads.practice import ground

DEMO = TenantRecord(Tenant("demo"), demo=True, created_at=START)


def test_an_installation_is_a_practice_where_its_log_says_so_and_nothing_in_it_is_real():
    real = replace(DEMO, demo=False)
    assert ground.is_ground(ground.origin(), [DEMO])
    assert not ground.is_ground(ground.origin(), [])
    assert not ground.is_ground(ground.origin(), [DEMO, real]), "a real tenant was added later"
    assert not ground.is_ground(LOG, [DEMO])
    assert not ground.is_ground(LogOrigin("demo/ringfence-tour"), [DEMO])


def test_two_practices_have_two_logs():
    assert ground.origin() != ground.origin()


def test_no_folder_and_an_empty_one_hold_no_practice(tmp_path, practice):
    assert not ground.is_made(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert not ground.is_made(tmp_path / "empty")
    assert ground.is_made(practice.path)


def test_what_is_no_practice_is_left_alone(tmp_path, home, practice):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to(practice.path)
    for path in (tmp_path / "file", tmp_path / "mine", tmp_path / "link", home.path):
        with pytest.raises(UsageError):
            ground.is_made(path)


def test_nothing_is_attacked_in_an_own_installation(tmp_path, home, practice):
    ground.check_practising(practice.path)
    for path in (home.path, tmp_path / "none"):
        with pytest.raises(Refused, match="in a practice only"):
            ground.check_practising(path)


def test_the_port_of_its_console_is_remembered(tmp_path):
    assert ground.port_of(tmp_path) == 0
    ground.keep_port(tmp_path, 8410)
    assert ground.port_of(tmp_path) == 8410
    assert ground.address(8410) == "http://practice.localhost:8410"


@pytest.mark.parametrize("text", ["", "0", "65536", "-1", "8410 8411", "x" * 16])
def test_what_names_no_port_is_said(tmp_path, text):
    (tmp_path / "console.port").write_text(text, encoding="utf-8")
    with pytest.raises(MalformedInput, match="names no port"):
        ground.port_of(tmp_path)
