"""Graphs for Graphviz."""

import re

from ringfence.lineage import dot, sheet
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import Kind, Ref
from ringfence.lineage.view import around
from ringfence.testing.lineage import Tale, digest_of, whole


def document(tale, name="tuned", kind=Kind.MODEL):
    return sheet.shown(around(Lineage.of(tale.tenant, tale.statements), Ref(kind, digest_of(name))), {})


def with_a_gap():
    tale = Tale()
    tale.run("r", ["books"], "tuned")
    return document(tale)


def test_each_thing_and_each_link_is_one_line():
    found = dot.written(document(whole()))
    assert found.startswith("digraph lineage {\n")
    assert found.endswith("}\n")
    assert len(re.findall(r"shape=", found)) == 8
    assert found.count(" -> ") == 7
    assert "dashed" not in found


def test_a_gap_is_red_and_a_doubt_is_dashed():
    assert 'color="red"' in dot.written(with_a_gap())
    tale = Tale()
    tale.about("run.imported", {"inputs": []}, [("run/x", "x"), ("outputs/x", "tuned")])
    assert "style=dashed" in dot.written(document(tale))


def test_a_label_cannot_leave_its_quotes():
    found = document(whole())
    found["things"][0]["label"] = 'a"]; b [label="x\\\x1b'
    line = next(line for line in dot.written(found).splitlines() if 'a\\"' in line)
    assert re.fullmatch(r'  "[^"\\]*" \[shape=\w+, label="(?:[^"\\]|\\.)*"\];', line)
    assert "\x1b" not in line
