from types import SimpleNamespace

import pytest

from ringfence.frontends.live import Live, Proofs, proof
from ringfence.kernel.digest import Digest
from ringfence.testing.ledger import LabLog

KNOWN = Digest.of(b"statement")


def test_a_page_is_told_of_what_comes_after_the_newest_entry():
    log = LabLog()
    assert Live(log)() == f"/console/stream?after={len(log.entries) - 1}"


class Empty:
    def head(self):
        from ringfence.kernel.errors import NotFound

        raise NotFound("the log is empty")


def test_of_an_empty_log_it_is_told_everything():
    assert Live(Empty())() == "/console/stream?after=-1"


def test_a_proof_names_where_the_check_finds_its_material():
    assert proof(7, KNOWN, "observed")["address"] == "/evidence/7/proof.json"
    assert "anchored" not in proof(7, KNOWN)


def test_each_statement_is_looked_up_once():
    asked = SimpleNamespace(times=0)

    def entry_of(digest):
        asked.times += 1
        return 7 if digest == KNOWN else None

    proofs = Proofs(entry_of)
    assert [proofs(str(KNOWN))["entry"] for _ in range(3)] == [7, 7, 7]
    assert proofs(str(Digest.of(b"a line of a log"))) is None
    assert proofs(str(Digest.of(b"a line of a log"))) is None
    assert asked.times == 2


@pytest.mark.parametrize("text", ["", "sha256:", "no digest", "0" * 64 + "x"])
def test_what_is_no_digest_has_no_proof(text):
    assert Proofs(lambda _digest: 1)(text) is None
