"""The quarantine is for its owner only; its notes are read strictly."""

import stat
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound
from ringfence.workloads.intake.model import Told
from ringfence.workloads.intake.quarantine import Quarantine, parse, printed

TOLD = Told(Digest.of(b"a"), "MIT", "FR", "Exemple", "a disk")


@given(st.text(min_size=1), st.text())
def test_a_note_is_read_back(owner, origin):
    try:
        data = printed(Told(TOLD.expected, "MIT", "FR", owner, origin))
    except MalformedInput:  # what is no text in UTF-8 has no note
        return
    assert parse(data, source="note") == Told(TOLD.expected, "MIT", "FR", owner, origin)


@given(st.binary(max_size=200))
def test_no_other_bytes_are_a_note(data):
    with pytest.raises(MalformedInput):
        parse(data, source="note")


@pytest.mark.parametrize("place", range(0, len(printed(TOLD)), 7))
def test_a_changed_note_is_refused_or_says_another_text(place):
    data = bytearray(printed(TOLD))
    data[place] ^= 1
    with suppress(MalformedInput):
        assert parse(bytes(data), source="note") != TOLD


def test_it_is_for_its_owner_only(tmp_path):
    quarantine = Quarantine(tmp_path)
    with quarantine.filling("tiny", TOLD) as place:
        pass
    assert stat.S_IMODE(quarantine.root.stat().st_mode) == stat.S_IMODE(place.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((place.path / "intake.json").stat().st_mode) == 0o600
    assert quarantine.one("tiny").told() == TOLD
    with pytest.raises(NotFound):
        quarantine.one("other")


def test_whatever_leads_into_it_is_covered(tmp_path):
    quarantine = Quarantine(tmp_path)
    quarantine.root.mkdir()
    (tmp_path / "link").symlink_to(quarantine.root)
    assert quarantine.covers(tmp_path / "link" / "tiny")
    assert quarantine.covers(tmp_path / "elsewhere" / ".." / "quarantine" / "x")
    assert not quarantine.covers(tmp_path / "models")
