import json

import pytest

from ringfence.kernel.digest import dumps
from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import catalog, edition
from ringfence.obligations.difference import told
from ringfence.testing.assurance import handed_out
from ringfence.testing.clock import FakeClock
from ringfence.workloads.rulebooks import reader

RULES = catalog.load()


@pytest.fixture(scope="module")
def pack(made_home, tmp_path_factory):
    home = made_home.copy(tmp_path_factory.mktemp("rulebooks") / "home")
    with home.services(FakeClock()) as services:
        return handed_out(services, home)


def with_status(pack, change):
    """Return the pack with another status line: nobody signed that, and nothing here says so."""
    lines = pack.split(b"\n")
    number = next(index for index, line in enumerate(lines) if line.startswith(b'{"status":'))
    document = json.loads(lines[number])
    change(document["status"])
    lines[number] = dumps(document)
    return b"\n".join(lines)


def test_an_edition_is_all_of_the_rules():
    found = reader(RULES)(edition.shipped())
    assert (found.kind, found.catalog) == ("edition", RULES)
    assert "nothing here can check that" in found.note


def test_a_pack_by_our_own_rules_is_all_of_them(pack):
    found = reader(RULES)(pack)
    assert (found.kind, found.catalog) == ("pack", RULES)
    assert "was not looked at here" in found.note


def test_a_pack_by_other_rules_is_what_its_status_says(pack):
    def change(status):
        status["rules"] = "sha256:" + "a" * 64
        status["controls"][0]["requirements"][0]["asks"] = "for less"

    found = reader(RULES)(with_status(pack, change))
    assert (found.catalog, found.told.digest) == (None, found.told.digest.parse("sha256:" + "a" * 64))
    assert found.told.entries.keys() == {entry for entry in told(RULES).entries if entry.kind != "national"}
    assert "carries what its status line says" in found.note


def test_overrides_of_a_pack_are_applied_as_its_verifier_applies_them(pack):
    def change(status):
        status["overrides"] = {"files": [{"name": "overrides/10-team.yaml", "value": {"rows": []}}]}

    with pytest.raises(MalformedInput):
        reader(RULES)(with_status(pack, change))


@pytest.mark.parametrize(
    "damage",
    [
        lambda pack: pack[:-1],
        lambda pack: pack.replace(b'{"status":', b'{"statue":'),
        lambda pack: with_status(pack, lambda status: status.pop("counts")),
        lambda pack: with_status(pack, lambda status: status.update(controls=status["controls"][:3])),
        lambda pack: pack.replace(b'"predicate":', b'"Predicate":'),
    ],
)
def test_a_damaged_pack_is_refused_in_a_sentence(pack, damage):
    with pytest.raises(MalformedInput):
        reader(RULES)(damage(pack))


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", b"[" * 10_000, b'{"format":"urn:ringfence:pack:v9"}', b"1"])
def test_whatever_else_a_file_is_it_is_refused_in_a_sentence(data):
    with pytest.raises(MalformedInput):
        reader(RULES)(data)
