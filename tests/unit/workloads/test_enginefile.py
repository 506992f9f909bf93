import json
from dataclasses import replace

import pytest

from ringfence.compute.model import node_id
from ringfence.gateway.model import deployment_name
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.workloads import enginefile
from ringfence.workloads.enginefile import Engine, EngineFiles

ENGINE = Engine(
    Tenant("acme"), deployment_name("small"), node_id("n-00000001"), "e-small", True, 8080, 7, "openai",
    PersonId("person-00000000000a"), Role.ENGINEER,
)  # fmt: skip


def test_what_is_kept_is_what_is_found(tmp_path):
    files = EngineFiles(tmp_path / "engines")
    assert files.all() == []
    files.put(ENGINE)
    files.put(replace(ENGINE, tenant=Tenant("other")))
    assert set(files.all()) == {ENGINE, replace(ENGINE, tenant=Tenant("other"))}
    files.put(replace(ENGINE, port=9090))
    assert len(files.all()) == 2
    files.drop(ENGINE)
    files.drop(ENGINE)
    assert [one.tenant for one in files.all()] == ["other"]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "engines").iterdir()} == {0o600}


def test_it_runs_in_somebodys_name():
    assert ENGINE.caller == Person(PersonId("person-00000000000a"), Tenant("acme"), Role.ENGINEER)
    assert len(ENGINE.key) == 16


@pytest.mark.parametrize(
    "changes",
    [
        {"port": -1},
        {"pid": "7"},
        {"port": True},
        {"node": "x"},
        {"name": "../x"},
        {"role": "god"},
        {"by": 7},
        {"more": 1},
    ],
)
def test_anything_else_is_refused(changes):
    data = json.dumps(json.loads(enginefile.to_bytes(ENGINE)) | changes).encode()
    with pytest.raises(MalformedInput):
        enginefile.parse(data, source="x.json")
    with pytest.raises(MalformedInput):
        enginefile.parse(b"[]", source="x.json")
