import json
from datetime import timedelta

import pytest

from ringfence.gateway import snapshot
from ringfence.gateway.keys import Wanted
from ringfence.gateway.model import DeploymentState
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Unavailable
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing.callers import CARL, World
from ringfence.testing.clock import START
from ringfence.testing.home import TENANT
from ringfence.workloads.serving import Serving, life


def told(home):
    public = bytes.fromhex((home.path / "gateway" / "control.pub").read_text())
    return snapshot.parse((home.path / "gateway" / "snapshot.json").read_bytes(), public)


def test_keys_and_routes_reach_the_gateways_folder_signed_by_the_control_plane(services, home):
    serving = services.serving
    serving.grounds.prepare()
    issued = serving.gateway.issue_key(home.actor(Role.ENGINEER), Wanted("anna", ()))
    assert [key.id for key in told(home).keys] == [issued.key.id]
    signer = Ed25519Signer.from_seed(home_keys(home).secret("control-plane"))
    assert (home.path / "gateway" / "control.pub").read_text().strip() == signer.public_key.hex()


def home_keys(home):
    from ringfence.installation import open_home

    return open_home(home.path).service_keys(None)


def test_a_block_by_detection_is_in_the_log_and_in_the_snapshot(services, home):
    serving = services.serving
    serving.grounds.prepare()
    key = serving.gateway.issue_key(home.actor(Role.ENGINEER), Wanted("anna", ())).key
    responder = services.cutoff.answers.responder
    responder.block_key(TENANT, key.id, because="key guessing", finding="f-1")
    assert told(home).keys[0].blocked == "blocked"
    assert serving.gateway.key(TENANT, key.id).blocked == "key guessing"
    services.ledger.integrate()
    (logged,) = services.ledger.statements(TENANT, ("apikey.blocked",))
    assert logged.envelope.statement.claims["finding"] == "f-1"
    assert logged.envelope.statement.issuance.late is True


def test_a_turn_settles_and_confirms(services, home, clock):
    serving = services.serving
    serving.grounds.prepare()
    serving.turn()
    first = told(home)
    clock.advance(snapshot.LIFE)
    serving.turn()
    assert told(home).issued_at == first.expires_at
    assert told(home).digest == first.digest


def test_a_turn_without_the_database_tells_the_gateway_all_the_same():
    world = World()
    key = world.gateway.issue_key(CARL, Wanted("anna", ())).key
    world.away = world.full = True
    world.gateway.block_key(key.tenant, key.id, because="guessing")
    world.full = False
    with pytest.raises(Unavailable, match="database"):
        Serving(world.gateway, None, None, None, None).turn()
    assert world.snapshots.held.keys[0].blocked


def test_what_nobody_can_reach_is_not_deployed(services, home):
    assert all(one.state is DeploymentState.SERVING for one in services.serving.gateway.deployments(TENANT))
    assert services.serving.supervisor(0, {}).place.folder == home.path / "gateway"


def test_how_long_keys_and_routes_live_is_a_setting_of_the_home(tmp_path):
    path = tmp_path / "gateway.json"
    assert life(path) == snapshot.LIFE
    path.touch(mode=0o600)
    path.write_text(json.dumps({"format": snapshot.SETTINGS, "snapshotSeconds": 12}))
    assert life(path) == timedelta(seconds=12)
    path.write_text("{}")
    with pytest.raises(Unavailable, match=r"gateway\.json"):
        life(path)


def test_a_loop_confirms_when_it_is_time(services, home, clock):
    serving = services.serving
    serving.grounds.prepare()
    for seconds, issued in ((0, 0), (14, 0), (1, 15)):
        clock.advance(timedelta(seconds=seconds))
        serving.turn_when_due()
        assert told(home).issued_at == START + timedelta(seconds=issued)
