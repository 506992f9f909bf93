"""A log that is published as objects on an S3 server: whole, never overwritten, and no secret in a home."""

from itertools import count

import pytest

from ringfence.kernel.errors import Conflict, Unavailable
from ringfence.ledger import tree
from ringfence.ledger.tiles import ObjectTiles
from ringfence.ledger.tiletree import TileTree
from ringfence.testing.home import TENANT
from ringfence.testing.objectstore import BUCKET, SECRET
from ringfence.testing.objectstore import object_store as running_store
from ringfence.testing.program import called

ENTRIES = [str(number).encode() for number in range(700)]
_numbers = count()


@pytest.fixture
def place(object_store):
    """A place in the bucket that nobody else uses."""
    del object_store
    return f"/log{next(_numbers)}"


def test_two_that_write_one_after_the_other_make_one_log(place, object_store):
    url = f"s3://{BUCKET}{place}"
    first, second = TileTree(ObjectTiles(url)), TileTree(ObjectTiles(url))
    first.extend(0, ENTRIES[:600])
    assert second.extend(600, ENTRIES[600:]) == tree.root_of([tree.leaf_hash(entry) for entry in ENTRIES])
    assert object_store.ask("GET", f"{place}/tile/0/001").status_code == 200
    assert object_store.ask("GET", f"{place}/tile/0/002.p/188").content == ObjectTiles(url).read("tile/0/002.p/188")


def test_the_store_itself_refuses_the_second_of_two_that_saw_no_tile(place, object_store):
    """What one writer compares before it writes cannot tell it what another one writes in that moment."""
    late = ObjectTiles(f"s3://{BUCKET}{place}")
    assert late.read("tile/0/000") is None
    object_store.ask("PUT", f"{place}/tile/0/000", content=b"first").raise_for_status()
    with pytest.raises(Conflict, match="other content"):
        late._create("tile/0/000", b"second")
    late._create("tile/0/000", b"first")  # an attempt whose answer was lost
    assert object_store.ask("GET", f"{place}/tile/0/000").content == b"first"


def test_a_home_publishes_to_the_store_and_keeps_no_secret_of_it(tmp_path):
    home = tmp_path / "home"
    with running_store() as mortal:
        given = {"RINGFENCE_HOME": str(home), **mortal.environment}
        done = called(given, "init", "--tenant", TENANT, "--tiles", f"s3://{BUCKET}/log")
        assert done.returncode == 0, done.stderr
        done = called(given, "record", "log.chain_verified", "--json")
        assert done.returncode == 0, done.stderr
        assert mortal.ask("GET", "/log/checkpoint").text.splitlines()[1] == "6"
        mortal.kill()
        away = called(given, "record", "log.heartbeat")
    assert away.returncode == Unavailable.exit_code
    assert "the log's store does not answer" in away.stderr
    assert "Traceback" not in away.stderr
    assert not list((home / "log").iterdir())
    kept = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert len(kept) > 5
    assert not [data for data in [*kept, away.stderr.encode()] if SECRET.encode() in data]
