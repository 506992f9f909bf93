"""Nodes and rules as key release sees them."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.kernel.envelope import key_id_of, sign
from ringfence.kernel.errors import NotFound
from ringfence.kernel.identifier import KeyId
from ringfence.kernel.statement import Issuance, KeyRole, to_payload
from ringfence.keyrelease import rules
from ringfence.ledger.model import Issuer, LoggedStatement, Standing, Vouched
from ringfence.testing.clock import START
from ringfence.testing.home import LOG
from ringfence.testing.keyrelease import World as Releases
from ringfence.testing.nodes import TENANT, World
from ringfence.workloads.releasing import NodeTargets, RulesInTheLog


def test_nodes_are_seen_as_compute_has_them():
    world = World()
    compute = world.compute()
    node, nodes = world.ready(compute), NodeTargets(compute)
    found = nodes.named(TENANT, node.spec.name)
    assert (found.node, found.ready, found.cut_off, found.node_class) == (node.id, True, False, "namespace")
    assert nodes.living(node.id)
    assert not nodes.living("n-ffffffff")
    with pytest.raises(NotFound):
        nodes.named(TENANT, "nowhere")


def test_a_node_that_is_cut_off_is_seen_as_that():
    world = World()
    compute = world.compute()
    node = world.ready(compute)
    compute.quarantine(TENANT, node.id, reason="tried")
    assert NodeTargets(compute).named(TENANT, node.spec.name).cut_off


SIGNER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
PUBLIC = SIGNER.public_key().public_bytes_raw()
DAY = timedelta(days=1)
ISSUER = Issuer(KeyId(key_id_of(PUBLIC)), KeyRole.OPERATOR, PUBLIC, START - DAY, START + DAY, "file-plain")
RULE = Releases().allow()


@dataclass
class Log:
    """What the log says of rules."""

    said: list

    def statements(self, tenant, predicates):
        assert (tenant, predicates) == (TENANT, (rules.ALLOWED,))
        return self.said


def logged(entry, rule=RULE, standing=Standing.TRUSTED, issuer=ISSUER):
    draft = rules.draft(rule)
    issuance = Issuance(TENANT, LOG, ISSUER.key, draft.strength, entry + 1, "0" * 32, f"r-{entry}", START)
    return LoggedStatement(entry, START, sign(to_payload(draft.issued(issuance)), SIGNER), None, standing, issuer)


def newest(*said):
    found = RulesInTheLog(Log(list(said))).newest(TENANT, RULE.dataset)
    return found.rule if found else None


def test_the_newest_rule_of_a_person_decides():
    wider = replace(RULE, minutes=60)
    assert newest() is None
    assert newest(logged(1), logged(2, wider)) == wider
    assert newest(logged(1), logged(2, replace(wider, dataset="e" * 32))) == RULE
    machine = replace(ISSUER, role=KeyRole.CONTROL_PLANE)
    assert newest(logged(1), logged(2, wider, issuer=machine), logged(3, wider, Standing.UNKNOWN, None)) == RULE


@pytest.mark.parametrize("standing", [Standing.REVOKED, Standing.UNPROVEN, Standing.EXPIRED, Standing.NOT_YET_VALID])
def test_a_rule_whose_key_had_ended_is_none_and_brings_no_older_one_back(standing):
    assert newest(logged(1), logged(2, standing=standing)) is None


def test_a_rule_whose_key_somebody_else_had_is_signed_again_whoever_vouches_for_its_age():
    stolen = replace(
        ISSUER, revoked_at=START + DAY, compromised_at=START + DAY, vouched=Vouched(9, "Auditor", START + DAY)
    )
    assert newest(logged(1), logged(2, issuer=stolen)) is None
    retired = replace(ISSUER, revoked_at=START + DAY)
    assert newest(logged(1), logged(2, issuer=retired)) == RULE


def test_a_rule_that_its_signer_never_signed_is_none():
    other = replace(ISSUER, public_key=Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    assert newest(logged(1), logged(2, issuer=other)) is None
