import pytest

from ringfence.kernel.cedar import PolicySet
from ringfence.kernel.errors import InternalError

SCHEMA = "entity Person; action look appliesTo { principal: Person, resource: Person };"
POLICY = 'permit (principal, action == Action::"look", resource);'


def test_the_digest_is_over_policies_and_schema():
    one = PolicySet.parse(POLICY, SCHEMA)
    assert one.digest == PolicySet.parse(POLICY, SCHEMA).digest
    assert one.digest != PolicySet.parse(POLICY + " ", SCHEMA).digest
    assert one.digest != PolicySet.parse(POLICY, SCHEMA + " ").digest


def test_policies_that_do_not_fit_their_schema_are_refused():
    with pytest.raises(InternalError, match="do not fit their schema"):
        PolicySet.parse(POLICY.replace("look", "touch"), SCHEMA)
