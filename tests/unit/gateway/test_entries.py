from datetime import timedelta

import pytest

from ringfence.gateway import entries
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.clock import START
from ringfence.testing.gateway import api_key, deployment


def test_what_is_printed_is_read_back():
    key = api_key(name="Ä", deployments=("a",), revoked_at=START + timedelta(hours=1), blocked="x")
    assert entries.key_from(entries.key_to(key)) == key
    one = deployment(node="n-00000001", subject=Digest.of(b"it"))
    assert entries.deployment_from(entries.deployment_to(one)) == one


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("id", "x"), ("tenant", "X"), ("hash", "00"), ("name", 1), ("deployments", "a"), ("deployments", ["A"])),
        *(("limits", {}), ("limits", {"requestsPerMinute": True, "concurrent": 1, "bodyBytes": 1})),
        *(("createdAt", "now"), ("expiresAt", None), ("revokedAt", 1), ("blocked", None), ("name", "x" * 5000)),
    ],
)
def test_a_key_with_a_field_that_no_key_has_is_refused(name, value):
    with pytest.raises(MalformedInput):
        entries.key_from(entries.key_to(api_key()) | {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("name", "A B"), ("tenant", 1), ("protocol", "grpc"), ("url", None), ("socket", 1), ("credential", None)),
        *(("model", None), ("digest", "sha256:00"), ("basis", "known"), ("node", None), ("state", "up")),
        *(("onRecordFailure", "continue"), ("createdAt", 0), ("because", None), ("subject", 1)),
    ],
)
def test_a_deployment_with_a_field_that_none_has_is_refused(name, value):
    with pytest.raises(MalformedInput):
        entries.deployment_from(entries.deployment_to(deployment()) | {name: value})


@pytest.mark.parametrize("value", [None, [], "x", {}])
def test_what_is_no_object_of_its_kind_is_refused(value):
    for read in (entries.key_from, entries.deployment_from, entries.limits_from):
        with pytest.raises(MalformedInput):
            read(value)
    with pytest.raises(MalformedInput):
        entries.key_from(entries.key_to(api_key()) | {"more": 1})
