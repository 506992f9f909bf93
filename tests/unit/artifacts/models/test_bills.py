from datetime import UTC

import pytest

from ringfence.artifacts.models.bills import GENERATED, made, stated
from ringfence.artifacts.models.local import API, Posting
from ringfence.artifacts.models.materials import gather
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, VerificationFailed
from ringfence.obligations.forms import shelf
from ringfence.obligations.forms.checking import check_stated
from ringfence.testing.materials import WHOLE, logged
from ringfence.testing.models import FakeControl


@pytest.fixture(scope="module")
def whole():
    return logged(WHOLE)


class Control(FakeControl):
    """A control plane that knows one model's materials, and takes one form."""

    def __init__(self, known):
        super().__init__()
        self.known, self.posted = known, []

    def get(self, path):
        assert path == f"{API}/tiny/materials"
        return self.known

    def state(self, draft, *, path, body):  # noqa: ARG002 - empty
        self.posted.append((path, *self.signed(draft)))
        return {"type": str(draft.predicate), "statement": {"stage": "published"}}


def test_it_is_stated_as_its_form_has_it(whole, tmp_path):
    control = Control(gather(whole, "tiny"))
    found = made(control, tmp_path, "tiny")  # names and digests come from the run's statement
    posting = Posting(control, lambda size: b"s" * size)
    envelope_day = control.signed(WHOLE[0])[0].statement.issuance.issued_at.astimezone(UTC).date()
    assert stated(posting, found, tmp_path / "tiny.cdx.json", envelope_day) == {"stage": "published"}
    ((path, envelope, opening),) = control.posted
    assert path == "/api/v1/forms/mlbom.generated"
    check_stated(shelf.form(GENERATED), envelope.statement, envelope_day)
    assert envelope.statement.claims["bom"] == str(Digest.of(b"s" * 32 + found.bill.printed))
    assert opening.details["files"] == {"bom": {"name": "tiny.cdx.json", "salt": (b"s" * 32).hex()}}


def test_files_come_from_a_folder_or_are_not_known(whole, tmp_path):
    control = Control(gather([one for one in whole if one.entry != 5], "tiny"))
    with pytest.raises(NotFound, match="--dir"):
        made(control, tmp_path, "tiny")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "w.safetensors").write_bytes(b"w")
    with pytest.raises(VerificationFailed, match="newest signed version"):
        made(control, tmp_path, "tiny", folder)
    (folder / "config.json").write_bytes(b"{}")
    assert made(control, tmp_path, "tiny", folder).claims["filesMatched"] == 2
