"""What is defined, and what leads there."""

from ringfence.exports.references import Index, dangling, dead_links
from ringfence.exports.visiting import Node, nodes

DOCUMENT = {"controls": [{"id": "a-1", "parts": [{"id": "a-1_smt"}]}], "resources": [{"uuid": "u"}]}


def index():
    return Index.of(nodes(DOCUMENT))


def test_what_leads_somewhere_is_no_complaint():
    node = Node("/", "", {"control-id": "a-1", "target-id": "a-1_smt", "with-ids": ["a-1"], "href": "#u"})
    assert [*dangling(node, index()), *dead_links(node, {}, index())] == []


def test_a_part_is_no_control():
    assert list(dangling(Node("/", "", {"control-id": "a-1_smt"}), index()))


def test_a_file_beside_is_a_target_and_an_address_elsewhere_is_none():
    assert list(dead_links(Node("/", "", {"source": "catalog.json"}), {"catalog.json": b""}, index())) == []
    assert list(dead_links(Node("/", "", {"source": "https://example.org/x"}), {}, index()))


def test_an_id_that_stands_twice_is_said():
    found = Index.of([*nodes(DOCUMENT), *nodes(DOCUMENT)])
    assert sorted(found.repeated()) == sorted(
        ["UUID u stands 2 times", "id 'a-1' stands 2 times", "id 'a-1_smt' stands 2 times"]
    )
