import os

import pytest

from ringfence.storage.users import can_be_given, covered

WHOLE = "         0          0 4294967295\n"


@pytest.mark.parametrize(
    ("table", "known"),
    [
        (WHOLE, True),
        ("0 1000 1\n", False),
        ("0 1000 1\n1 100000 65536\n", False),
        ("70000 0 10\n", True),
        ("70000 0 9\n", False),
        ("70001 0 10\n", False),
        ("70000 0 5\n70005 5 5\n", False),  # as the kernel reads it, in two parts
        ("", False),
    ],
)
def test_users_are_known_where_one_line_covers_them(table, known):
    assert covered(range(70_000, 70_010), table) is known


def test_nobody_but_root_gives_anything_to_others():
    assert os.geteuid() == 0 or not can_be_given(range(70_000, 70_010))
