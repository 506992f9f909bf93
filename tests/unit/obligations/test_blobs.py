"""A team's files are read strictly, and only where nobody else can write or read them."""

from datetime import date

import pytest

from ringfence.kernel.errors import MalformedInput, RingfenceError, UsageError
from ringfence.obligations import catalog
from ringfence.obligations.blobs import FOLDER, checked, effective, read
from ringfence.testing.choices import FRANKER, META, SHORTER, override

TODAY = date(2026, 11, 22)


def test_without_a_folder_the_rules_are_ours(tmp_path):
    assert effective(tmp_path, TODAY).catalog is catalog.load()
    (tmp_path / FOLDER).mkdir(mode=0o700)
    assert checked(tmp_path, TODAY) is catalog.load()


def test_every_yaml_file_counts_in_the_order_of_the_names(tmp_path):
    override(tmp_path, FRANKER, name="b.yaml")
    override(tmp_path, SHORTER, name="a.yaml")
    override(tmp_path, "nothing that is read", name="README.txt")
    found = effective(tmp_path, TODAY)
    assert [file.name for file in found.catalog.overrides.files] == ["overrides/a.yaml", "overrides/b.yaml"]
    assert (found.refused, found.catalog.overrides.rows) == ("", 2)


@pytest.mark.parametrize(("mode", "folder"), [(0o640, False), (0o604, False), (0o660, False), (0o750, True)])
def test_what_others_can_open_is_refused(tmp_path, mode, folder):
    path = override(tmp_path, SHORTER)
    (path.parent if folder else path).chmod(mode)
    with pytest.raises(UsageError, match="chmod"):
        read(tmp_path)
    assert effective(tmp_path, TODAY).catalog is catalog.load()


def test_a_link_is_not_followed(tmp_path):
    path = override(tmp_path, SHORTER)
    (tmp_path / "elsewhere").write_text(path.read_text("utf-8"), encoding="utf-8")
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RingfenceError):
        read(tmp_path)


def test_neither_is_a_pipe_waited_for(tmp_path):
    import os

    path = override(tmp_path, SHORTER)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(UsageError, match="not a regular file"):
        read(tmp_path)


def test_a_long_file_and_many_files_are_refused(tmp_path):
    path = override(tmp_path, SHORTER, "#" * 2**16)
    with pytest.raises(UsageError, match="more than"):
        read(tmp_path)
    path.unlink()
    for number in range(51):
        override(tmp_path, SHORTER, name=f"{number}.yaml")
    with pytest.raises(UsageError, match="the limit is 50"):
        read(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "- !!python/name:os.system {requirement: bcm-04.failover, freshness_days: 60, because: a tag}\n",
        "- &a {requirement: bcm-04.failover, freshness_days: 60, because: an anchor}\n",
        "- {requirement: bcm-04.failover, freshness_days: 60, freshness_days: 50, because: twice}\n",
        "- {requirement: bcm-04.failover, freshness_days: 6.5, because: a float}\n",
        "- {requirement: bcm-04.failover, freshness_days: 60, because: a second}\n---\nmore: 1\n",
        "- {requirement: bcm-04.failover, freshness_days: 60, because: 'broken}\n",
    ],
)
def test_what_is_more_than_plain_values_is_refused_with_its_place(tmp_path, text):
    override(tmp_path, text)
    with pytest.raises(MalformedInput, match=r"overrides/10-team.yaml:\d+"):
        checked(tmp_path, TODAY)
    refused = effective(tmp_path, TODAY)
    assert (refused.catalog is catalog.load(), refused.refused.startswith("overrides/10-team.yaml:")) == (True, True)


def test_a_day_to_come_is_refused(tmp_path):
    override(tmp_path, SHORTER, meta=META.replace("2026-11-01", "2026-11-23"))
    with pytest.raises(MalformedInput, match="has not come yet"):
        checked(tmp_path, TODAY)
