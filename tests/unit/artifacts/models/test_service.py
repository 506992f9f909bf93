from dataclasses import replace

import pytest

from ringfence.artifacts.models import oms, statements
from ringfence.artifacts.models.model import ModelId, ModelName
from ringfence.artifacts.models.statements import About, Signature
from ringfence.kernel.commitment import SALT_SIZE, commit
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, RingfenceError
from ringfence.testing.artifacts import PERSON, TENANT
from ringfence.testing.models import FakeControl, key, report

MANIFEST = oms.manifest_of("m", {"a": Digest.of(b"1")})


def draft(name="tiny", model="0" * 32):
    about = About(ModelId(model), ModelName(name), MANIFEST.digest)
    return statements.signed(about, Signature(MANIFEST, 1, Digest.of(b"b"), key().public, "file-plain"))


@pytest.fixture
def control():
    return FakeControl()


def test_what_is_recorded_is_listed_and_its_key_trusted(control):
    done = control.service.state(PERSON, statements.SIGNED, *control.signed(draft()))
    assert done.entry == 0
    (model,) = control.service.all(TENANT)
    assert (model.name, model.scan) == ("tiny", None)
    assert control.service.names(TENANT) == {"tiny": "0" * 32}
    assert [one.hint for one in control.service.trusted(TENANT)] == [key().public.hint]
    control.log.ended.add(control.log.entries[0].envelope.signer)
    assert control.service.trusted(TENANT) == []


def test_a_taken_name_records_nothing(control):
    control.service.state(PERSON, statements.SIGNED, *control.signed(draft()))
    with pytest.raises(Conflict):
        control.service.state(PERSON, statements.SIGNED, *control.signed(draft(model="1" * 32)))
    assert len(control.log.entries) == 1


def test_details_need_a_name(control):
    envelope, _ = control.signed(draft())
    for details in (None, commit({"name": "Not A Name"}, bytes(SALT_SIZE))):
        with pytest.raises(MalformedInput):
            control.service.state(PERSON, statements.SIGNED, envelope, details)
    assert not control.log.entries


def test_a_scan_is_joined(control):
    about = About(ModelId("0" * 32), ModelName("tiny"), MANIFEST.digest)
    control.service.state(PERSON, statements.SIGNED, *control.signed(draft()))
    found = statements.scanned(about, report({"a": b"words"}), 1)
    control.service.state(PERSON, statements.SCAN, *control.signed(found))
    assert control.service.all(TENANT)[0].scan == "clean"


def test_the_files_that_are_named_are_those_that_are_signed(control):
    asked = []
    service = replace(control.service, check_signable=lambda *given: asked.append(given))
    envelope, opening = control.signed(draft())
    for wrong in ({"a": Digest.of(b"2").hex}, {"b": Digest.of(b"1").hex}, {"a": "0"}, {}):
        with pytest.raises(RingfenceError):
            service.state(PERSON, statements.SIGNED, envelope, opening, files=wrong)
    assert not asked
    assert not control.log.entries
    service.state(PERSON, statements.SIGNED, envelope, opening, files={"a": Digest.of(b"1").hex})
    service.state(PERSON, statements.SIGNED, envelope, opening)
    assert asked == [(TENANT, MANIFEST.digest, {"a": Digest.of(b"1")}), (TENANT, MANIFEST.digest, None)]


def test_materials_are_those_of_the_newest_version_under_a_name(control):
    with pytest.raises(NotFound):
        control.service.materials(TENANT, "tiny")
    control.service.state(PERSON, statements.SIGNED, *control.signed(draft()))
    assert control.service.materials(TENANT, "tiny")["digest"] == MANIFEST.digest.hex
