"""A release that the log does not take leaves nothing on the shelf, and can be asked for again."""

from types import SimpleNamespace

import pytest

from ringfence.artifacts.models.model import ModelName
from ringfence.artifacts.models.store import Shelf
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Refused, VerificationFailed
from ringfence.settings import Settings
from ringfence.testing.gating import FILES, manifest
from ringfence.testing.models import key
from ringfence.workloads.intake.cli import _moved
from ringfence.workloads.intake.quarantine import Place

TINY = ModelName("tiny")
HELD = SimpleNamespace(key=key(), custody="file-plain")


class Log:
    """What takes a signature, or does not."""

    def __init__(self, *, refuses=False):
        self.refuses = refuses

    def signed(self, name, signature):
        if self.refuses:
            raise Refused("these bytes came from outside, and a person refused them")
        return {"name": name, "digest": str(signature.manifest.digest)}


def test_only_what_the_log_took_lies_on_the_shelf(tmp_path):
    place, home = Place(tmp_path / "quarantine" / "tiny"), tmp_path / "home"
    home.mkdir()
    place.files.mkdir(parents=True)
    for name, data in FILES.items():
        (place.files / name).write_bytes(data)
    settings, expected = Settings(home=home), manifest().digest
    with pytest.raises(Refused):
        _moved(settings, place, TINY, expected, HELD, Log(refuses=True))
    assert Shelf(home).names() == []
    with pytest.raises(VerificationFailed, match="decided about"):
        _moved(settings, place, TINY, Digest.of(b"other"), HELD, Log())
    assert Shelf(home).names() == []
    statement, path = _moved(settings, place, TINY, expected, HELD, Log())
    assert statement["digest"] == str(expected)
    assert sorted(one.name for one in path.iterdir()) == ["model.sig", *FILES]
