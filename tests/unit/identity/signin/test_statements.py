import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from ringfence.identity.signin import statements
from ringfence.identity.signin.model import Attempts, Owner, Passkey
from ringfence.kernel.actor import Level
from ringfence.testing.signin import SITE

SPECS = Path(__file__).parents[4] / "docs" / "specs" / "predicates"
OWNER = Owner("main", "person-0123456789ab")
BY = "person-ba9876543210"
PASSKEY = Passkey(
    b"credential",
    OWNER,
    b"\x04" + bytes(64),
    SITE,
    4,
    "Ada's telephone",
    ("usb",),
    False,
    datetime(2026, 11, 22, tzinfo=UTC),
    OWNER.person,
)
DRAFTS = [
    statements.passkey_enrolled(PASSKEY, basis=Level.LINK, passkeys=1),
    statements.passkey_removed(PASSKEY, by=BY, reason="reset", passkeys=0),
    statements.person_locked(OWNER, Attempts(b"", 6, PASSKEY.enrolled_at)),
    statements.passkey_refused(PASSKEY, counter=3, at=PASSKEY.enrolled_at),
    statements.totp_enrolled(OWNER),
    statements.totp_removed(OWNER, by=BY),
    statements.recovery_issued(OWNER, codes=10),
    statements.recovery_used(OWNER, left=9),
]


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.predicate)
def test_what_is_stated_fits_its_schema_and_names_nobody(draft):
    schema = json.loads((SPECS / f"{draft.predicate}.schema.json").read_text(encoding="utf-8"))
    check = jsonschema.Draft202012Validator(schema)
    check.validate(dict(draft.claims))
    assert not check.is_valid(dict(draft.claims) | {"other": 1})
    for name in schema["required"]:
        assert not check.is_valid({key: value for key, value in draft.claims.items() if key != name})
    assert "Ada" not in json.dumps(draft.claims)
