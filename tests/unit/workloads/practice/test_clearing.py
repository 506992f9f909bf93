"""What outlives a process and is ended here; with real nodes in tests/system/test_practice.py."""

from ringfence.workloads.practice.clearing import clear


def test_where_no_node_was_nothing_is_started_to_end_it(home):
    before = sorted(home.path.iterdir())
    clear(home.path)
    assert sorted(home.path.iterdir()) == before
