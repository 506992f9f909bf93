import pytest

from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.testing.collecting import copied, name_places
from ringfence.workloads.collecting.places import MOST_PLACES, Places, parse


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"format":"urn:ringfence:backups:v1","folders":[]}',
        '{"format":"urn:ringfence:backups:v1","folders":["relative"]}',
        '{"format":"urn:ringfence:backups:v1","folders":[1]}',
        '{"format":"urn:ringfence:backups:v1","folders":["/a\\u0000b"]}',
        '{"format":"urn:ringfence:backups:v1","folders":["/a"],"more":1}',
        '{"format":"urn:ringfence:backups:v2","folders":["/a"]}',
        '{"format":"urn:ringfence:backups:v1","folders":[' + ",".join(['"/a"'] * (MOST_PLACES + 1)) + "]}",
    ],
)
def test_anything_else_in_the_file_is_refused(text):
    with pytest.raises(MalformedInput):
        parse(text.encode())


def test_without_the_file_there_are_no_copies(tmp_path):
    assert Places(tmp_path).copies() == []


def test_a_file_that_others_can_read_is_not_used(tmp_path):
    name_places(tmp_path, tmp_path / "copies")
    (tmp_path / "backups.json").chmod(0o644)
    with pytest.raises(RingfenceError):
        Places(tmp_path).folders()


def test_a_place_that_is_not_mounted_holds_nothing(tmp_path):
    name_places(tmp_path, tmp_path / "away")
    assert Places(tmp_path).copies() == []


def test_what_is_no_home_is_no_copy(home, tmp_path):
    made = copied(home, tmp_path / "copies")
    (tmp_path / "copies" / "photographs").mkdir()
    name_places(home.path, tmp_path / "copies")
    assert Places(home.path).copies() == [made]
    assert not Places(home.path).apart(made)
