import pytest

from ringfence.artifacts.provenance import parse_provenance
from ringfence.kernel.errors import MalformedInput

GOOD = b"""source: https://data.example.eu/claims
licence: CC-BY-4.0
collection: exported from the ticket system
steps:
  - removed names
  - split 80/20
rights: "yes"
"""


def test_a_full_file():
    told = parse_provenance(GOOD)
    assert told.licence == "CC-BY-4.0"
    assert told.recorded == ("collection", "licence", "rights", "source", "steps")
    assert told.texts["steps"] == ["removed names", "split 80/20"]
    assert told.file == GOOD


def test_only_the_licence_is_needed():
    assert parse_provenance(b"licence: LicenseRef-ours\n").recorded == ("licence",)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"licence: MIT\nsorce: x\n", "p.yaml:2:1: 'sorce'"),
        (b"licence: MIT\nlicence: MIT\n", "p.yaml:2:1: licence stands twice"),
        (b"licence: MIT\nsteps: none\n", "p.yaml:2:8: steps is a list"),
        (b"licence: MIT\nsteps: []\n", "p.yaml:2:8: steps is a list"),
        (b"licence: MIT\nsteps:\n - a\n - 2026-01-01\n", "p.yaml:4:4: a text"),
        (b"licence: MIT\nrights: yes\n", "p.yaml:2:9: a text"),
        (b"licence: MIT\nrights: ''\n", "p.yaml:2:9: a text has"),
        (b"licence: all rights reserved\n", "p.yaml:1:10: 'all rights"),
        (b"licence: [MIT]\n", "p.yaml:1:10: a text"),
        (b"licence: MIT\n: x: y: [\n", "p.yaml:2"),
        (b"- licence\n", "p.yaml:1: the file is a mapping"),
        (b"", "p.yaml:1: the file is a mapping"),
        (b"source: x\n", "p.yaml: licence is missing"),
        (b"licence: &a MIT\nsource: *a\n", "p.yaml: aliases"),
        (b"licence: !!python/name:os.system x\n", "p.yaml:1:10: a text"),
        (b"licence: \xff\n", "p.yaml: not UTF-8"),
        (b"a" * 70_000, "p.yaml: the file has more"),
        (b"[" * 3000, "p.yaml"),
        (b"licence: MIT\nsource: \x01\n", "p.yaml"),
    ],
)
def test_errors_name_the_place(data, place):
    with pytest.raises(MalformedInput) as caught:
        parse_provenance(data, source="p.yaml")
    assert str(caught.value).startswith(place)
