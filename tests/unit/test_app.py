import pytest

from ringfence.app import check_writable, custody
from ringfence.installation import open_home
from ringfence.kernel.errors import Unavailable
from ringfence.storage import keyfile
from ringfence.testing.home import TENANT, make


@pytest.mark.parametrize(("passphrase", "place"), [(None, "file-plain"), (b"secret", "file-passphrase")])
def test_custody_is_what_the_key_files_say(tmp_path, clock, passphrase, place):
    home = make(tmp_path / "home", clock, passphrase=passphrase)
    found = custody(open_home(home.path))
    assert (found.service_keys, found.root_key, set(found.operator_keys)) == (place, place, {place})
    (home.path / "keys" / "gateway.json").unlink()
    keyfile.create(home.path / "keys" / "gateway.json", {"gateway": bytes(32)}, None)
    assert custody(open_home(home.path)).service_keys == "file-plain"  # the weakest of them counts
    (home.path / "keys" / "gateway.json").unlink()
    keyfile.create(home.path / "keys" / "sign-in.json", {"sign-in": bytes(32)}, None)
    assert custody(open_home(home.path)).service_keys == "file-plain"
    (home.path / "keys" / "root.json").unlink()
    assert custody(open_home(home.path)).root_key == "exported"


def test_a_place_that_cannot_be_written_is_unavailable(tmp_path):
    with pytest.raises(Unavailable):
        check_writable(tmp_path / "none")


def test_a_demo_installation_marks_all_that_it_states(tmp_path, clock):
    home = make(tmp_path / "home", clock, demo=True)
    with home.services(clock) as services:
        services.collectors["log.heartbeat"](TENANT)
        assert all(logged.envelope.statement.issuance.demo for logged in services.ledger.statements(TENANT))
