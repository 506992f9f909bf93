import io

from rich.console import Console

from ringfence.artifacts.models import rendering
from ringfence.artifacts.models.oms import manifest_of
from ringfence.kernel.digest import Digest
from ringfence.testing.models import key

MANIFEST = manifest_of("m", {"a": Digest.of(b"1"), "b": Digest.of(b"2")})


def shown(function, document):
    kept = io.StringIO()
    function(Console(file=kept, width=200), document)
    return kept.getvalue()


def test_a_verification_says_what_was_read_and_who_vouched():
    whole = rendering.of_manifest(MANIFEST, key().public) | {"read": 2, "bytes": 2, "subject": "", "stamped": False}
    assert "Every byte of 2 files" in shown(rendering.verified, whole)
    assert "stamped" not in shown(rendering.verified, whole)
    seen = {"stamped": True, "stamped_at": "2026-11-23T07:00:00.000Z", "stamped_by": "CN=tsa"}
    assert "2026-11-23T07:00:00.000Z by CN=tsa" in shown(rendering.verified, whole | seen)
    part = whole | seen | {"read": 1, "subject": "CN=x"}
    assert "1 of 2 files were read" in shown(rendering.verified, part)
    assert "CN=x, judged at the time of its stamp" in shown(rendering.verified, part)


def test_a_bill_names_what_the_log_did_not_know():
    claims = {"modelFiles": 2, "datasets": 1, "schemaErrors": 0, "validator": "jsonschema", "validatorVersion": "4"}
    document = rendering.of_bill(b"{}", claims, ["licence of the model"]) | {"path": "x.json"}
    said = shown(rendering.billed, document)
    assert "2 files, 1 datasets" in said
    assert "not in the log: licence of the model" in said
    assert Digest.of(b"{}").hex in said
    kept = io.StringIO()
    rendering.plainly(Console(file=kept), b"{}\n")
    assert kept.getvalue() == "{}\n"
