"""Every object once, with its place."""

from ringfence.exports.visiting import Node, nodes


def test_objects_are_visited_with_the_list_in_which_they_stand():
    found = {node.path: node.stands_in for node in nodes({"a": [{"b": {}}, [{"c": 1}]], "d": 2})}
    assert found == {"/": "", "/a/0": "a", "/a/0/b": "b", "/a/1/0": "a"}


def test_a_property_is_read_by_name():
    node = Node("/", "", {"props": [7, {"name": "x", "value": "1"}, {"name": "x", "value": "2"}]})
    assert node.property("x") == "1"
    assert node.property("y") == ""
    assert Node("/", "", {"props": "x"}).property("x") == ""
