from ringfence.obligations import reading
from ringfence.obligations.threats.register import AssetKind, load

FILE = reading.read("threats.yaml").value


def test_every_row_of_the_file_is_there_as_it_stands():
    found = load()
    assert found.stages == tuple(FILE["stages"])
    assert [threat.id for threat in found.threats] == [row["id"] for row in FILE["threats"]]
    for threat, row in zip(found.threats, FILE["threats"], strict=True):
        assert list(threat.controls) == row["controls"]
        assert list(threat.stages) == row["stages"]
        assert [one.title for one in threat.touches] == [FILE["assets"][name]["title"] for name in row["assets"]]
        assert {name: list(codes) for name, codes in threat.codes.items()} == {name: row[name] for name in threat.codes}


def test_every_kind_of_asset_is_touched_by_some_threat():
    assert {one.kind for threat in load().threats for one in threat.touches} == set(AssetKind)
