from ringfence.incidents import statements
from ringfence.incidents.model import Fact, FactKind, IncidentId
from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Strength
from ringfence.testing.incidents import LabIncidents

NAME, HEAD = IncidentId("i-0123abcd"), Digest.of(b"head")


def test_addresses_and_log_lines_stand_in_the_details_only():
    lab = LabIncidents()
    finding = lab.finding(excerpts=("Failed password for dana from 203.0.113.7",))
    fact = Fact(FactKind.DATA_READ, lab.clock.now(), "n-00000001", "weights of dana")
    for draft in (
        statements.opened(NAME, finding, 1, HEAD),
        statements.extended(NAME, finding, 2, HEAD),
        statements.extended(NAME, fact, 3, HEAD),
    ):
        assert draft.strength is Strength.OBSERVED
        assert "dana" not in str(draft.claims)
        assert "203.0.113.7" not in str(draft.claims)
        assert "dana" in str(draft.details)
        assert draft.claims["timeline"] == HEAD.hex


def test_a_split_and_a_warning_name_the_other():
    assert statements.split_off(NAME, IncidentId("i-0"), ["f-2", "f-1"], "t", 1, HEAD).claims["findings"] == [
        "f-1",
        "f-2",
    ]
    assert statements.noted(NAME, "warning", "triage/overdue", 4, HEAD).claims["other"] == "triage/overdue"


def test_the_digest_of_a_draft_is_salted():
    document = {"stage": "nis2.early_warning", "fields": [], "contradictions": []}
    one, other = (statements.drafted(NAME, document, salt * 32) for salt in (b"a", b"b"))
    assert one.claims["documentDigest"] != other.claims["documentDigest"]
