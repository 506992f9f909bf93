"""The crosswalk names codes that exist, and says no more than that something overlaps."""

from ringfence.exports.kinds import Kind
from ringfence.exports.mapping import mapping
from ringfence.obligations.frameworks import crosswalk


def test_every_code_that_a_control_names_is_there_once_and_exists(facts):
    found = mapping(facts)[Kind.MAPPING]
    named = {one["uuid"]: one["props"][0]["value"] for one in found["back-matter"]["resources"]}
    seen, controls = set(), facts.catalog.controls
    for one in found["mappings"]:
        framework = named[one["target-resource"]["href"].removeprefix("#")]
        for entry in one["maps"]:
            (source,) = entry["sources"]
            codes = [target["id-ref"] for target in entry["targets"]]
            assert set(codes) <= set(crosswalk.load()[framework].codes)
            seen |= {(source["id-ref"].upper(), framework, code) for code in codes}
    assert {framework for _, framework, _ in seen} == crosswalk.load().keys() & {n for c in controls for n in c.maps}
    for control in controls:
        for name, codes in control.maps.items():
            assert {code for one, of, code in seen if (one, of) == (control.id, name)} == (
                set(codes) if name in crosswalk.load() else set()
            )


def test_nothing_is_called_equal(facts):
    found = mapping(facts)[Kind.MAPPING]
    assert {entry["relationship"] for one in found["mappings"] for entry in one["maps"]} == {"intersects-with"}
