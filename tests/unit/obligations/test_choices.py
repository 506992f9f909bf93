from datetime import date

from ringfence.kernel.digest import Digest
from ringfence.obligations.choices import NO_OVERRIDES, NONE, Aside, OverrideFile, Overrides, SetAside

VALUE = {"meta": {"version": 1}, "overrides": [{"control": "LOG-01"}, {"control": "LOG-02"}]}
FILE = OverrideFile("overrides/a.yaml", VALUE)
ROW = SetAside("LOG-01", "a reason", "security-lead", date(2027, 1, 1), "a contract", FILE.digest)


def test_the_digest_of_a_file_is_over_what_it_says():
    assert FILE.digest == OverrideFile("other.yaml", dict(reversed(VALUE.items()))).digest
    assert FILE.digest != OverrideFile("overrides/a.yaml", {**VALUE, "overrides": []}).digest


def test_the_digest_of_all_of_them_is_over_names_and_values():
    assert Overrides((FILE,)).digest != Overrides((OverrideFile("overrides/b.yaml", VALUE),)).digest
    assert Overrides((FILE, FILE)).digest != Overrides((FILE,)).digest
    assert (Overrides((FILE, FILE)).rows, bool(NO_OVERRIDES), bool(Overrides((FILE,)))) == (4, False, True)


def test_what_says_why_not_does_not_count():
    assert Aside(ROW, 7).counts
    assert not Aside(ROW, 7, "it ended").counts


def test_no_profile_asks_for_nothing():
    assert NONE.digest == Digest.of(b"{}")
    assert not any((NONE.required, NONE.freshness, NONE.retention, NONE.notice, NONE.not_enforced))
