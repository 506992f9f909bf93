"""The reference document of measured machines: computed from files, strict, and enough to release a key by."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ringfence import components
from ringfence.attestation import reference as documents
from ringfence.compute.providers import firmware, image, reference
from ringfence.compute.providers.bootvalues import FIRMWARE, SIZES_MIB
from ringfence.compute.providers.endorsement import root
from ringfence.kernel.errors import Unavailable

AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def made(tmp_path):
    try:
        shared, (code, _) = image.load(components.machine_files()), firmware.firmware_files()
    except Unavailable as error:
        pytest.skip(str(error))
    if not shared.measured.is_file() or not FIRMWARE:
        pytest.skip("no image of measured machines here (`make setup` builds it)")
    assert code.is_file()
    return reference.expected("machines", root(tmp_path), AT, AT + timedelta(days=1))


def test_a_key_can_be_released_by_it(made):
    read = documents.parse(documents.payload(made))
    assert read.suffices_for_release
    assert all(each.software for each in read.roots)


def test_it_speaks_of_every_register_and_every_file(made):
    values = made.values
    assert values.pcrs == {*range(11), 14}
    assert set(values.golden) == values.pcrs - {10}
    assert len(values.events["kernel"]) == len(SIZES_MIB)
    assert values.ima["/usr/lib/ringfence/agent"]
    assert len(values.ima["/etc/inittab"]) == 2


def test_a_list_of_files_that_is_missing_is_named(tmp_path):
    with pytest.raises(Unavailable, match="make setup"):
        reference._allowed(tmp_path / "files.json")
    (tmp_path / "files.json").write_text(json.dumps([]))
    with pytest.raises(Unavailable, match="make setup"):
        reference._allowed(tmp_path / "files.json")
