from datetime import timedelta

import pytest

from ringfence.cutoff.accesses import AccessFile, no_gateway
from ringfence.cutoff.nodes import ComputeResponder
from ringfence.identity.model import TenantRecord
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.testing.accesses import KEY
from ringfence.testing.clock import START
from ringfence.testing.nodes import TENANT, World


def test_the_tenant_that_was_made_first_hears_of_strangers_and_a_demonstration_last(tmp_path):
    made = [
        TenantRecord(Tenant("zeta"), demo=False, created_at=START),
        TenantRecord(Tenant("beta"), demo=False, created_at=START + timedelta(days=1)),
        TenantRecord(Tenant("alpha"), demo=True, created_at=START - timedelta(days=1)),
    ]
    log = AccessFile(tmp_path / "access.log", lambda: made)
    assert list(log.tenants()) == ["zeta", "beta", "alpha"]
    assert log.path == str(tmp_path / "access.log")


def test_a_key_is_blocked_at_the_gateway_and_no_node_is_touched():
    world, asked = World(), []

    def block(tenant, key, *, because, finding):
        asked.append((tenant, key, because, finding))

    compute = world.compute()
    node = world.ready(compute)
    ComputeResponder(compute, block).block_key(TENANT, KEY, because="injection-burst: playbook", finding="f-1")
    assert asked == [(TENANT, KEY, "injection-burst: playbook", "f-1")]
    assert world.row(node).containment.value == "none"
    assert not world.rows["blocks"]


def test_without_a_gateway_nothing_claims_to_be_blocked():
    with pytest.raises(Unavailable, match="no gateway"):
        no_gateway(TENANT, KEY, because="x", finding="f-1")
