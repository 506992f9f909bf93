"""A gate file says everything, once, in its own form; what it does not say is never guessed."""

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.testing.home import TENANT
from ringfence.workloads import gatefile
from ringfence.workloads.gatefile import CONDITIONS, GateFiles, origin_of, parse, shipped, shipped_bytes


def test_what_ships_demands_everything_and_fetches_from_nowhere():
    found = shipped()
    assert found.gate.demands == CONDITIONS
    assert (found.intake.origins, found.intake.apart, found.gate.attached) == (frozenset(), True, False)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("approvals: 2", "approvals: 0"),
        ("approvals: 2", "approvals: true"),
        ("approvals: 2", "approvals: 2\n  approvals: 1"),
        ("approvals: 2", "approval: 2"),
        ("  approvals: 2  # people; none of them signed the model\n", ""),
        ("approvals: 2", "approvals: 2\n  more: 1"),
        ("[signed, data,", "[signed, signed, data,"),
        ("[signed, data,", "[signed, luck,"),
        ("origins: []", "origins: [ftp://models.example]"),
        ("origins: []", "origins: ['https://user@models.example']"),
        ("origins: []", "origins: 'https://models.example'"),
        ("countries: []", "countries: [NO]"),
        ("apart: true", "apart: 'yes'"),
        ("staging: staging-", "staging: ''"),
        (":v1", ":v2"),
        ("intake:", "intake: &a"),
        ("attached: false", "attached: !!python/object:os.system x"),
    ],
)
def test_anything_else_is_refused(before, after):
    text = shipped_bytes().decode()
    assert before in text
    if after == "intake: &a":
        text += "\nagain: *a\n"
    with pytest.raises(MalformedInput):
        parse(text.replace(before, after, 1).encode())


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"a: [" * 5000, b"x" * (gatefile.MAX_FILE + 1)])
def test_no_bytes_crash_it(data):
    with pytest.raises(MalformedInput):
        parse(data)


def test_a_file_of_the_tenant_that_cannot_be_read_is_no_reason_for_the_defaults(tmp_path):
    files = GateFiles(tmp_path)
    assert files.of(TENANT) == shipped()
    path = files.path(TENANT)
    path.parent.mkdir()
    path.touch(mode=0o600)
    path.write_bytes(b"gate: {}")
    with pytest.raises(MalformedInput, match=r"main\.yaml"):
        files.of(TENANT)
    path.write_bytes(shipped_bytes().replace(b"approvals: 2", b"approvals: 3"))
    assert files.of(TENANT).gate.approvals == 3
    assert files.of(TENANT).digest != shipped().digest


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://a.example/b?c", "https://a.example:443"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000"),
        ("https://[::1]:1/x", "https://[::1]:1"),
        ("HTTPS://A.example", "https://a.example:443"),
    ],
)
def test_an_origin_is_scheme_host_and_port(address, origin):
    assert origin_of(address) == origin


@pytest.mark.parametrize("address", ["", "file:///etc", "https://", "https://u:p@a", "https://a:99999", "https://[x"])
def test_other_addresses_have_no_origin(address):
    with pytest.raises(MalformedInput):
        origin_of(address)
