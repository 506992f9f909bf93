import pytest

from ringfence.kernel.errors import NotFound, UsageError
from ringfence.obligations import asking, lines

FLAGS = ("obligations", "frameworks", "threats", "approvals", "proof")
NAMED = ("control", "domain", "provision", "framework")


def view(*flags, every=False, missing=False, **options):
    named = {name: options.pop(name, None) for name in NAMED}
    given = {name: options.pop(name, None) for name in ("as_of", "act", "standing", "against")}
    assert not options
    return asking.view({name: name in flags for name in FLAGS}, named, given, every=every, missing=missing)


def test_without_anything_it_is_the_summary():
    found = view()
    assert (found.path, found.lines) == ("/api/v1/status", lines.summary)


def test_a_past_time_goes_along():
    assert view(as_of="2026-11-20T00:00:00Z").query["as_of"] == "2026-11-20T00:00:00Z"


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"control": "DAT-01"}, "/api/v1/status"),
        ({"domain": "dat"}, "/api/v1/status"),
        ({"provision": "nis2-21.2.g"}, "/api/v1/obligations/nis2-21.2.g"),
        ({"framework": "atlas"}, "/api/v1/frameworks/atlas"),
    ],
)
def test_what_is_named_has_its_address(options, path):
    assert view(**options).path == path


@pytest.mark.parametrize("flag", FLAGS)
def test_each_flag_has_its_address(flag):
    assert view(flag).path == f"/api/v1/{flag}"


def test_a_domain_keeps_its_own_controls_alone():
    found = view(domain="dat")
    document = found.narrowed({"controls": [{"id": "DAT-01"}, {"id": "SEC-01"}]})
    assert document == {"controls": [{"id": "DAT-01"}]}


def test_no_such_domain():
    with pytest.raises(NotFound):
        view(domain="nope")


@pytest.mark.parametrize(
    ("flags", "options"),
    [
        (("threats", "proof"), {}),
        (("threats",), {"control": "DAT-01"}),
        ((), {"control": "DAT-01", "domain": "DAT"}),
        ((), {"missing": True}),
        ((), {"against": "atlas"}),
        (("frameworks",), {"missing": True}),
        (("threats",), {"every": True}),
        (("approvals",), {"as_of": "2026-11-20T00:00:00Z"}),
        (("proof",), {"as_of": "2026-11-20T00:00:00Z"}),
    ],
)
def test_what_does_not_go_together_is_refused(flags, options):
    with pytest.raises(UsageError):
        view(*flags, **options)


def test_an_act_or_a_standing_lists_its_provisions():
    brief, some = view("obligations"), view("obligations", act="NIS2")
    assert brief.lines is not some.lines
    assert some.query == {"as_of": None, "act": "NIS2", "standing": None}


def test_a_comparison_and_what_is_missing_go_along():
    assert view(framework="atlas", against="iso_27001_2022").query["against"] == "iso_27001_2022"
    assert view(framework="atlas", missing=True).query["missing"] is True
