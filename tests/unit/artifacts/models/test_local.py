import pytest

from ringfence.artifacts.models import oms
from ringfence.artifacts.models.local import Posting
from ringfence.artifacts.models.model import ModelName
from ringfence.artifacts.models.statements import Signature
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.artifacts import TENANT, Counting
from ringfence.testing.models import FakeControl, key, report

NAME = ModelName("tiny")


def signature(data=b"1"):
    manifest = oms.manifest_of("m", {"a": Digest.of(data)})
    return Signature(manifest, 1, Digest.of(b"b"), key().public, "file-plain")


def test_every_version_under_one_name_has_one_id():
    control = FakeControl()
    posting = Posting(control, Counting())
    assert posting.scanned(NAME, signature().manifest, report({"a": b"1"}))["stage"] == "published"
    posting.signed(NAME, signature())
    posting.signed(NAME, signature(b"2"))
    posting.signed(ModelName("other"), signature())
    found = control.service.all(TENANT)
    assert [(model.name, model.scan) for model in found] == [("other", None), ("tiny", None)]
    assert len(control.service.names(TENANT)) == 2
    posting.scanned(NAME, signature(b"2").manifest, report({"a": b"1"}))
    assert [model.scan for model in control.service.all(TENANT)] == [None, "clean"]


def test_the_digests_of_the_files_go_along_unless_they_are_too_many():
    class Listening(FakeControl):
        def state(self, draft, *, path, body):
            bodies.append(body)
            return super().state(draft, path=path, body=body)

    bodies: list = []
    posting = Posting(Listening(), Counting())
    posting.signed(NAME, signature())
    deep = "/".join(["d" * 200] * 4)
    many = oms.manifest_of("m", {f"{deep}/{number}": Digest.of(b"") for number in range(8000)})
    posting.signed(NAME, Signature(many, 1, Digest.of(b"b"), key().public, "file-plain"))
    assert bodies == [{"files": {"a": Digest.of(b"1").hex}}, {}]


def test_the_tenant_s_keys():
    control = FakeControl()
    posting = Posting(control, Counting())
    assert posting.trusted() == []
    posting.signed(NAME, signature())
    posting.signed(NAME, signature(b"2"))
    assert [one.hint for one in posting.trusted()] == [key().public.hint]


def test_another_answer_is_refused():
    class Other:
        def get(self, path):
            return {"error": path}

    with pytest.raises(MalformedInput):
        Posting(Other(), Counting()).trusted()
