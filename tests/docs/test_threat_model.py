"""Every promise of the threat model names a test, and the test is there."""

import re

ROW = re.compile(r"^\| ([^|]+?) \|([^|]*)\|([^|]*)\|$", re.MULTILINE)
NODE = re.compile(r"`(tests/[\w/.-]+)(?:::(\w+))?`")


def promises(page):
    """Return each promise with what stands in its last column."""
    section = page.split("## Promises")[1].split("## Not promised")[0]
    return [
        (promise, tests) for promise, _, tests in ROW.findall(section) if promise != "promise" and set(promise) != {"-"}
    ]


def broken(page, root):
    found = []
    for promise, tests in promises(page):
        named = NODE.findall(tests)
        if not named:
            found.append(f"{promise}: no test")
        for path, function in named:
            place = root / path
            if not place.exists():
                found.append(f"{promise}: {path} is not there")
            elif function and f"def {function}(" not in place.read_text(encoding="utf-8"):
                found.append(f"{promise}: {path} has no {function}")
    return found


def test_every_promise_has_its_test(root, check):
    page = (root / "docs" / "explanation" / "threat-model.md").read_text(encoding="utf-8")
    assert len(promises(page)) > 20
    check(broken(page, root))


def test_the_rule_sees_a_promise_without_a_test(root):
    rows = ["| a | A1 | |", "| b | A2 | `tests/gone.py::test_x` |", "| c | | `tests/docs/test_threat_model.py` |"]
    page = "\n".join(["## Promises", *rows, "## Not promised"])
    assert len(promises(page)) == 3
    assert broken(page, root) == ["a: no test", "b: tests/gone.py is not there"]
