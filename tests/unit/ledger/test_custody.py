from datetime import timedelta

import pytest

from ringfence.kernel.statement import KeyRole
from ringfence.ledger.custody import (
    ExportedHead,
    anchored_outside,
    anchored_until,
    could_have_made_up,
    exported_heads,
)
from ringfence.ledger.model import AnchoredHead, Anchors, Cosigned, Judged
from ringfence.testing.keys import head
from ringfence.testing.ledger import START, LabLog


@pytest.fixture
def log():
    return LabLog()


class TestExportedHeads:
    def test_are_those_that_trusted_keys_state(self, log):
        size = log.export_head().checkpoint.size
        assert exported_heads(log.statements()) == (ExportedHead(size, START),)

    def test_other_statements_are_none(self, log):
        log.state("log.chain_verified", {"size": 2}, by="control")
        assert exported_heads(log.statements()) == ()

    def test_of_an_unknown_or_revoked_key_count_for_nothing(self, log):
        log.state("ledger.head_exported", {"size": 1}, by="stranger")
        log.revoke("ops")
        log.export_head(by="ops")
        assert exported_heads(log.statements()) == ()

    @pytest.mark.parametrize("size", [0, -1, True, "3", None, 99])
    def test_of_an_impossible_size_count_for_nothing(self, log, size):
        log.state("ledger.head_exported", {"size": size})
        assert exported_heads(log.statements()) == ()


class TestAnchoredOutside:
    heads = (ExportedHead(10, START + timedelta(days=2)), ExportedHead(5, START + timedelta(days=1)))

    @pytest.mark.parametrize(("entry", "days"), [(0, 1), (4, 1), (5, 2), (9, 2)])
    def test_since_the_first_head_that_covers_the_entry(self, entry, days):
        assert anchored_outside(entry, self.heads) == START + timedelta(days=days)

    @pytest.mark.parametrize("entry", [10, 11])
    def test_entries_beyond_every_head_are_operator_only(self, entry):
        assert anchored_outside(entry, self.heads) is None


class TestCouldHaveMadeUp:
    def test_a_stranger_is_anybody(self, log):
        said = could_have_made_up(log.state("dataset.sealed", {}, by="stranger"), START)
        assert said == ["Anybody: the root never enrolled the key that signed it."]

    def test_issuer_root_and_ledger_while_nothing_lies_outside(self, log):
        said = could_have_made_up(log.state("dataset.sealed", {}), None)
        assert [word in sentence for word, sentence in zip(("operator", "root", "ledger key"), said, strict=True)] == [
            True
        ] * 3

    def test_an_exported_head_takes_the_ledger_key_out(self, log):
        said = could_have_made_up(log.state("dataset.sealed", {}), START)
        assert not any("ledger key" in sentence for sentence in said)
        assert "contradicts that head" in said[-1]

    def test_another_partys_key_is_named_before_the_operators_word(self, log):
        said = could_have_made_up(log.state("dataset.sealed", {}), None, START)
        assert not any("ledger key" in sentence for sentence in said)
        assert "other party's key" in said[-1]

    def test_nobody_else_stands_in_for_the_root(self, log):
        enrolled = log.enrol("night", KeyRole.EMERGENCY)
        assert not any("enrol another" in sentence for sentence in could_have_made_up(enrolled, None))


class TestAnchoredUntil:
    def judged(self, size, signed, party, at):
        said = (Cosigned("w", party, START + timedelta(hours=at)),) if party else ()
        signed_head = head(size, bytes(32), START + timedelta(hours=signed))
        return AnchoredHead(signed_head, Anchors(), Judged(said))

    def test_the_newest_head_that_another_party_vouches_for(self):
        heads = [self.judged(9, 3, "", 0), self.judged(7, 2, "Auditor", 2), self.judged(5, 1, "Auditor", 9)]
        assert anchored_until(heads) == START + timedelta(hours=2)

    def test_the_earlier_clock_counts(self):
        assert anchored_until([self.judged(7, 5, "Auditor", 2)]) == START + timedelta(hours=2)
        assert anchored_until([self.judged(7, 2, "Auditor", 5)]) == START + timedelta(hours=2)

    def test_the_operators_own_word_anchors_nothing(self):
        assert anchored_until([self.judged(7, 2, "operator", 2)]) is None
        assert anchored_until([]) is None


def test_a_statement_by_a_passkey_names_its_holder_the_page_and_who_could_enrol_another():
    log = LabLog()
    log.enrol_passkey("anna")
    made = log.state("incident.triage", {}, by="anna")
    first, page, another, *_ = could_have_made_up(made, None)
    assert "recognised by it" in first
    assert "http://localhost:8400" in first
    assert "than it shows" in page
    assert "another key of this person" in another
