from dataclasses import replace

import pytest

from ringfence.artifacts.models import catalogue, oms
from ringfence.artifacts.models.model import ModelId, ModelName, Verdict
from ringfence.artifacts.models.statements import Signature, scanned, signed
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput
from ringfence.testing.models import HOSTILE, FakeControl, key, report

FIRST = oms.manifest_of("m", {"a": Digest.of(b"1")})
SECOND = oms.manifest_of("m", {"a": Digest.of(b"2")})
CLEAN, BAD = report({"a": b"words"}), report({"a": HOSTILE["eval"]})


def about(manifest, name="tiny", model="0" * 32):
    from ringfence.artifacts.models.statements import About

    return About(ModelId(model), ModelName(name), manifest.digest)


def told(*drafts):
    control = FakeControl()
    for draft in drafts:
        envelope, opening = control.signed(draft)
        control.log.admit(envelope, opening, by=None)
    return control.log.entries


def sign(manifest, **where):
    return signed(about(manifest, **where), Signature(manifest, 1, Digest.of(b"b"), key().public, "file-plain"))


def scan(manifest, found, **where):
    return scanned(about(manifest, **where), found, 1)


def test_the_newest_version_with_the_newest_scan_of_that_version():
    log = told(sign(FIRST), scan(FIRST, BAD), scan(FIRST, CLEAN), sign(SECOND), scan(FIRST, BAD))
    (first,) = catalogue.fold(log[:3])
    assert (first.digest, first.scan, first.scan_entry) == (FIRST.digest, Verdict.CLEAN, 2)
    (second,) = catalogue.fold(log)
    assert (second.digest, second.scan, second.name, second.entry) == (SECOND.digest, None, "tiny", 3)
    assert second.subject.name == "model/" + "0" * 32
    assert catalogue.to_json(first)["scan"] == "clean"


def test_what_no_trusted_key_stands_for_is_left_out():
    log = [replace(one, standing="revoked") for one in told(sign(FIRST))]
    assert catalogue.fold(log) == []
    assert catalogue.names(log) == {}


def test_statements_of_another_shape_are_left_out():
    bad = replace(sign(FIRST), claims={"model": "x"})
    (found,) = catalogue.fold(told(bad, sign(SECOND)))
    assert found.digest == SECOND.digest
    assert catalogue.names(told(bad)) == {}


def test_an_erased_name_is_empty():
    log = [replace(one, opening=None) for one in told(sign(FIRST))]
    assert [model.name for model in catalogue.fold(log)] == [""]


def test_a_name_belongs_to_one_model():
    known = catalogue.names(told(sign(FIRST), scan(SECOND, BAD, name="other", model="1" * 32)))
    assert known == {"tiny": "0" * 32, "other": "1" * 32}
    catalogue.check_name(known, "tiny", ModelId("0" * 32))
    catalogue.check_name(known, "third", ModelId("2" * 32))
    for name, model in (("tiny", "1" * 32), ("tiny", "2" * 32), ("third", "0" * 32)):
        with pytest.raises(Conflict):
            catalogue.check_name(known, name, ModelId(model))


def test_keys_that_are_trusted_come_once():
    log = told(sign(FIRST), sign(SECOND, name="other", model="1" * 32))
    assert [one.hint for one in catalogue.trusted_keys(log, lambda _key: True)] == [key().public.hint]
    assert catalogue.trusted_keys(log, lambda _key: False) == []
    assert catalogue.trusted_keys([replace(one, standing="revoked") for one in log], lambda _key: True) == []
    assert catalogue.trusted_keys(told(replace(sign(FIRST), claims={})), lambda _key: True) == []


def test_the_api_s_answer():
    assert catalogue.id_in({"names": {"a": "0" * 32}}, "a") == "0" * 32
    assert catalogue.id_in({"names": {}}, "a") is None
    for bad in ({}, [], None):
        with pytest.raises(MalformedInput):
            catalogue.id_in(bad, "a")
