import io
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from ringfence import assurance, proof
from ringfence.kernel.errors import NotFound
from ringfence.ledger.custody import HEAD_EXPORTED
from ringfence.signing.custody import Kept, State
from ringfence.testing.assurance import handed_out
from ringfence.testing.clock import START
from ringfence.testing.console import sample
from ringfence.testing.home import TENANT


@pytest.fixture
def shown(services):
    return assurance._shown(services)


def test_without_a_head_outside_everything_rests_on_the_operators_word(services, shown):
    services.ledger.integrate()
    found = proof.window(shown.log, shown.anchors, TENANT)
    assert found.size > 0
    assert (found.open, found.exported_at, found.vouched_until) == (found.size, None, None)


class Nobody:
    """`proof.Anchors` where no other party vouches for anything."""

    def until(self):
        return None

    def witnesses(self):
        return ()

    def conflicts(self, _tenant):
        return ()


def test_what_was_recorded_after_the_head_stays_open():
    lab = sample()
    (exported,) = lab.statements(lab.log.tenant, (HEAD_EXPORTED,))
    found = proof.window(lab, Nobody(), lab.log.tenant)
    assert found.covered == exported.envelope.statement.claims["size"]
    assert found.exported_at == exported.recorded_at
    assert 0 < found.open == found.size - found.covered


def held(place, state=State.IN_FORCE):
    return SimpleNamespace(state=state, kept=(Kept(START, "exported"), Kept(START, place)))


def test_keys_in_force_are_counted_where_they_lie_now_the_copied_first():
    keys = [held("pkcs11"), held("file-plain"), held("file-plain"), held("file-passphrase", State.REVOKED)]
    assert proof.custody(keys) == [proof.Custody("file-plain", 2, True), proof.Custody("pkcs11", 1, False)]


def test_programs_are_those_of_the_documentation_byte_for_byte():
    auditors = Path(__file__).parents[2] / "docs" / "auditors"
    assert set(proof.scripts()) == set(proof.SCRIPTS)
    assert all((auditors / name).read_bytes() == data for name, data in proof.scripts().items())


@pytest.mark.soak
def test_the_zipapp_is_one():
    data = proof.download(proof.ZIPAPP)
    assert "__main__.py" in zipfile.ZipFile(io.BytesIO(data)).namelist()


def test_what_is_not_there_is_told_and_nothing_is_built_for_it():
    with pytest.raises(NotFound, match=r"recheck\.pyz"):
        proof.download("../verify_pack.py")


def test_the_document_counts_packs_sources_and_gaps(services, home, shown):
    before = proof.document(shown, TENANT)
    handed_out(services, home)
    after = proof.document(shown, TENANT)
    assert after["packs"] == before["packs"] + 1
    assert (after["gaps"], after["conflicts"]) == (0, 0)
    assert after["operator_only"] == after["size"] - after["covered"]
    assert set(after["programs"]) == set(proof.SCRIPTS)


def test_another_tenant_sees_none_of_it(services, home, shown):
    handed_out(services, home)
    theirs = proof.document(shown, "other")
    assert (theirs["packs"], theirs["sources"]) == (0, 0)
    assert theirs["custody"] == {"pinned": 1}  # the log's own key
