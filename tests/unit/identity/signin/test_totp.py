from datetime import UTC, datetime, timedelta

import pytest

from ringfence.identity.signin.totp import DRIFT, address, counter_at, matching_counter, written

# RFC 6238, appendix B, SHA-1: the last six of its eight digits.
SECRET = b"12345678901234567890"
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
]


def at(seconds):
    return datetime.fromtimestamp(seconds, tz=UTC)


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_codes_of_the_standard(seconds, code):
    assert matching_counter(SECRET, code, at(seconds)) == seconds // 30


@pytest.mark.parametrize("steps", range(-3, 4))
def test_one_step_of_drift_either_way(steps):
    seconds, code = VECTORS[1]
    found = matching_counter(SECRET, code, at(seconds) + timedelta(seconds=30 * steps))
    assert found == (seconds // 30 if abs(steps) <= DRIFT else None)


@pytest.mark.parametrize(
    "code",
    ["", "28708", "2870822", "\uff12\uff18\uff17\uff10\uff18\uff12", "287 082", "abcdef", "\x00" * 6, "9" * 5000],
)
def test_what_is_no_code_matches_nothing(code):
    assert matching_counter(SECRET, code, at(59)) is None


def test_what_apps_read():
    text = address(SECRET, account="person-0123456789ab")
    assert text.startswith("otpauth://totp/Ringfence:person-0123456789ab?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    assert written(SECRET).replace(" ", "") == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert counter_at(at(59)) == 1
