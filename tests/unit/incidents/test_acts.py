from datetime import UTC, datetime

from ringfence.incidents import acts
from ringfence.incidents.model import IncidentId
from ringfence.kernel.digest import Digest

SEEN = acts.Seen(IncidentId("i-0123abcd"), 3, Digest.of(b"head"))
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


def test_what_a_person_writes_stands_in_the_details_only():
    secret = "Dana Voss called 0151"
    drafts = [
        acts.declared(SEEN.incident, AT, "n-1", secret),
        acts.triage(SEEN, acts.Decision(False, (), secret, AT, AT)),
        acts.corrected(SEEN, "contact", reason=secret, value=secret),
        acts.reported(SEEN, "nis2.final", AT, "csirt", Digest.of(b""), {"reference": secret, "to": secret}),
        acts.noticed(SEEN, "cars", AT, Digest.of(b""), {"reference": secret}),
        acts.closed(SEEN, AT, secret),
    ]
    for draft in drafts:
        assert secret not in str(draft.claims)
        assert secret in str(draft.details)
        assert secret in str(draft.details)


def test_an_act_names_what_its_signer_saw():
    claims = acts.closed(SEEN, AT, "done").claims
    assert (claims["incident"], claims["seen"], claims["timeline"]) == ("i-0123abcd", 3, Digest.of(b"head").hex)


def test_times_that_are_not_known_are_left_out():
    claims = acts.triage(SEEN, acts.Decision(False, (), "x", AT, AT)).claims
    assert "awareAt" not in claims
    assert "occurredAt" not in claims
    assert claims["triagedAt"] == "2026-11-22T09:00:00.000Z"
