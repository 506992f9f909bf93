import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.installation import Home, claim, finish_home, open_home
from ringfence.kernel.errors import MalformedInput, NotFound, UsageError
from ringfence.kernel.identifier import LogOrigin, Tenant
from ringfence.testing.clock import START
from ringfence.testing.home import make


@pytest.fixture
def finished(tmp_path):
    home = Home(tmp_path, LogOrigin("a.example/log"), Tenant("main"), START, bytes(range(32)))
    finish_home(home)
    return home


def test_a_home_is_read_back(finished):
    assert open_home(finished.path) == finished


def test_a_home_is_never_finished_twice(finished):
    with pytest.raises(UsageError):
        finish_home(finished)


def test_where_there_is_none_it_says_how_to_make_one(tmp_path):
    with pytest.raises(NotFound, match="ringfence init"):
        open_home(tmp_path)


@pytest.mark.parametrize(
    "fields",
    [
        {"root": "0" * 63},
        {"root": "z" * 64},
        {"root": " " * 64},
        {"root": 5},
        {"log": "X"},
        {"tenant": None},
        {"createdAt": "now"},
        {"format": "other"},
    ],
)
def test_a_damaged_marker_is_malformed(finished, fields):
    marker = finished.path / "ringfence.json"
    marker.write_text(json.dumps(json.loads(marker.read_bytes()) | fields))
    with pytest.raises(MalformedInput):
        open_home(finished.path)


@given(content=st.binary(max_size=100))
def test_no_marker_raises_anything_else(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("h")
    (path / "ringfence.json").write_bytes(content)
    with pytest.raises(MalformedInput):
        open_home(path)


def test_of_two_who_claim_a_place_one_gets_it(tmp_path):
    assert claim(tmp_path / "new") is True
    with pytest.raises(UsageError):
        claim(tmp_path / "new")
    (tmp_path / "empty").mkdir()
    assert claim(tmp_path / "empty") is False
    assert (tmp_path / "empty").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["with space", "100%", "a?b=c", "a#b", "ä", "50%41"])
def test_any_name_of_a_directory_will_do(tmp_path, clock, name):
    home = make(tmp_path / name, clock)
    with home.services(clock) as services:
        assert services.ledger.head().checkpoint.size > 0
    assert (tmp_path / name / "ringfence.db").stat().st_mode & 0o077 == 0
