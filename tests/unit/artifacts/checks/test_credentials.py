"""Secrets are found by their form. The samples are put together here, so that no scanner finds them in this file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.checks.credentials import KINDS, SecretsCheck, entropy, looks_secret, scan
from ringfence.artifacts.checks.model import Outcome, Row

MIXED = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"
GOOD = {
    "aws-access-key": "AKIA" + "ABCDEFGH234567YZ",
    "github-token": "ghp_" + MIXED[:36],
    "gitlab-token": "glpat-" + MIXED[:20],
    "slack-token": "xoxb-" + "123456789012-" + MIXED[:12],
    "stripe-key": "sk_live_" + MIXED[:24],
    "google-api-key": "AIza" + MIXED[:35],
    "hugging-face-token": "hf_" + MIXED[:34],
    "npm-token": "npm_" + MIXED[:36],
    "openai-key": "sk-" + "proj-" + MIXED,
    "azure-storage-key": "AccountKey=" + (MIXED * 3)[:86] + "==",
    "json-web-token": "eyJ" + MIXED[:20] + ".eyJ" + MIXED[:20] + "." + MIXED,
    "private-key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "age-secret-key": "AGE-SECRET-KEY-1" + "Q" * 58,
    "password-in-url": "postgres://user:" + "hunter2@db.internal/x",
    "assigned-secret": 'password = "' + "xK9!vR2#pL7qWz4T" + '"',
}


def looked(*values, allowed=()):
    check = SecretsCheck(frozenset(allowed))
    for number, value in enumerate(values, start=1):
        check.see(Row("f.csv", number, "", {"note": value}))
    return check.result()


def test_every_kind_has_a_sample():
    assert set(GOOD) == set(KINDS)


@pytest.mark.parametrize(("kind", "value"), GOOD.items())
def test_each_kind_is_found_where_it_is_and_not_shown(kind, value):
    found = looked("nothing here at all", f"see {value} there")
    assert found.outcome is Outcome.FAILED
    one = found.findings[0]
    assert (one.kind, one.file, one.row, one.column) == (f"secrets/{kind}", "f.csv", 2, "note")
    assert value[3:9] not in one.text
    assert looked(value, allowed=[kind]).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "text",
    [
        "password: please choose a new one",
        "token=aaaaaaaaaaaaaaaaaaaaaaaa",
        "https://example.org/path",
        "sk-learn is a library of classical methods",
        "a hash " + "0123456789abcdef" * 4,
        "-----BEGIN PUBLIC KEY-----",
    ],
)
def test_ordinary_text_is_not_found(text):
    assert looked(text).outcome is Outcome.PASSED


def test_entropy_is_in_bits():
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2


@given(st.text(max_size=200))
def test_any_text_is_looked_through(text):
    assert looks_secret(text) == bool(list(scan(text)))
