import json

from ringfence.obligations.threats import sheet
from ringfence.obligations.threats.board import rows
from ringfence.obligations.threats.register import load
from ringfence.testing.assurance import telling


def test_all_of_it_is_json_and_says_what_its_word_is_not():
    lab = telling()
    board = lab.board(lab.log.tenant)
    document = sheet.document(load(), rows(load(), board, lab.held, lab.measured), board)
    assert json.loads(json.dumps(document)) == document
    assert "never says that an attack cannot succeed" in document["limit"]
    first = document["threats"][0]
    assert first["id"] == "T01"
    assert first["touches"] == ["dataset"]
    assert {one["name"] for one in first["assets"]} == {"chest-scans-2026", "labels"}
    assert "protected" not in json.dumps(document)
