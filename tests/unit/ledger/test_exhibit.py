import base64
from dataclasses import replace

import pytest

from ringfence.kernel.commitment import commit
from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Subject
from ringfence.ledger import entry, exhibit, proof, tree
from ringfence.ledger.custody import ExportedHead
from ringfence.ledger.exhibit import Details, Material
from ringfence.testing.ledger import START, LabLog


@pytest.fixture
def log():
    return LabLog()


def material(log, logged):
    head = log.head()
    return Material(logged, head, log.inclusion_proof(logged.entry, head.checkpoint.size), log.log_keys)


class TestRow:
    def test_shows_what_the_statement_says_of_itself(self, log):
        subjects = [Subject(name, Digest.of(name.encode())) for name in ("dataset/a", "dataset/b", "dataset/c")]
        row = exhibit.row(log.state("dataset.sealed", {}, subjects=subjects), (ExportedHead(9, START),))
        assert (row.predicate, row.subject, row.others) == ("dataset.sealed", "dataset/a", 2)
        assert (row.role, row.trusted, row.demo) == ("operator", True, False)
        assert (row.href, row.proof.address) == ("/evidence/3", "/evidence/3/proof.json")
        assert row.proof.anchored == START

    def test_of_a_stranger_counts_for_nothing(self, log):
        row = exhibit.row(log.state("dataset.sealed", {}, by="stranger"), ())
        assert (row.role, row.trusted, row.standing) == ("nobody known", False, "unknown")
        assert row.proof.anchored is None


class TestDetails:
    def test_of_a_statement_without_a_side_record(self, log):
        assert exhibit.details(log.state("dataset.sealed", {})) is None

    def test_are_shown_where_they_match(self, log):
        logged = log.state("dataset.sealed", {}, details={"name": "scans", "a": 1})
        assert exhibit.details(logged) == Details(matches=True, pairs=(("a", 1), ("name", "scans")))

    def test_that_were_erased(self, log):
        logged = log.state("dataset.sealed", {}, details={"name": "scans"})
        assert exhibit.details(replace(logged, opening=None)) == Details(erased=True)

    def test_that_are_not_those_committed_to_are_never_shown(self, log):
        logged = log.state("dataset.sealed", {}, details={"name": "scans"})
        other = replace(logged, opening=commit({"name": "other"}, bytes(32)))
        assert exhibit.details(other) == Details()


class TestProof:
    def test_document_holds_what_leads_from_the_envelope_to_the_root(self, log):
        logged = log.state("dataset.sealed", {"objects": 3})
        document = exhibit.proof_document(material(log, logged))
        assert base64.b64decode(document["envelope"]) == logged.envelope.data
        assert base64.b64decode(document["issuerKey"]) == log.public("ops")
        leaf = tree.leaf_hash(entry.encode(logged.recorded_at, logged.envelope.digest, logged.place))
        path = [base64.b64decode(item) for item in document["path"]]
        root = log.head().checkpoint.root
        tree.verify_inclusion(document["entry"], document["size"], leaf, path, root)

    def test_document_of_a_stranger_names_no_key(self, log):
        logged = log.state("dataset.sealed", {}, by="stranger")
        assert exhibit.proof_document(material(log, logged))["issuerKey"] is None

    def test_tlog_proof_is_the_one_that_the_ledger_reads(self, log):
        logged = log.state("dataset.sealed", {"objects": 3})
        given = material(log, logged)
        read = proof.parse(exhibit.tlog_proof(given))
        assert (read.index, read.checkpoint) == (logged.entry, given.head.note)
        assert read.extra == logged.leaf
