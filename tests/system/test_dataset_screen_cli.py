"""`ringfence dataset screen`, as a person goes through it: flagged, decided, sealed anew, trained on."""

import json
import os

import pytest

from ringfence.testing.program import called
from ringfence.testing.training import as_csv, as_jsonl, texts

PROVENANCE = "source: a survey\nlicence: CC-BY-4.0\ncollection: by post\nrights: ours\nsteps:\n  - none\n"


class Shell:
    def __init__(self, home):
        self.environment = os.environ | {"RINGFENCE_HOME": str(home)}

    def __call__(self, *arguments, code=0):
        done = called(self.environment, *map(str, arguments))
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout) if "--json" in arguments and done.stdout else done.stdout + done.stderr

    def control(self):
        return next(one for one in self("status", "--json")["controls"] if one["id"] == "DAT-04")


@pytest.fixture
def shell(tmp_path):
    made = Shell(tmp_path / "home")
    made("init")
    return made


def sealed(shell, folder, rows, *options):
    folder.mkdir(exist_ok=True)
    (folder / "train.csv").write_bytes(as_csv(rows[:200]))
    (folder / "test.jsonl").write_bytes(as_jsonl(rows[200:]))
    return shell("dataset", "seal", folder, "letters", *options, "--json")


def test_from_flagged_to_decided_to_satisfied_and_to_trained(shell, tmp_path):
    rows = texts(220, 3, signal=0.2)
    odd = " ".join(f"xq{number}zv" for number in range(40))
    rows[9]["text"], rows[215]["text"] = odd, rows[150]["text"]
    rows[215]["label"] = rows[150]["label"]
    (tmp_path / "provenance.yaml").write_text(PROVENANCE)
    told, out = f"--provenance={tmp_path / 'provenance.yaml'}", tmp_path / "out"
    known = sealed(shell, tmp_path / "data", rows, told)
    screen = ("dataset", "screen", "letters", "--label", "label", "--out", out, "--json")

    first = shell(*screen, code=1)
    assert first["statement"]["stage"] == "published"
    assert (first["undecided"], first["order"], first["sources_untrusted"]) == (2, "before-training", 0)
    assert first["planted"] == 80 >= first["planted_found"] >= 64
    assert "neither taken out nor cleared" in shell.control()["because"]

    to_decide = json.loads((out / "decisions.json").read_bytes())
    for item in to_decide["items"]:
        choice = "cleared" if "duplicate" in item["screens"] else "taken-out"
        item |= {"decision": choice, "person": "Ada", "reason": "looked at it"}
    (out / "decided.json").write_text(json.dumps(to_decide))
    again = shell(*screen, "--decisions", out / "decided.json", code=1)
    assert (again["undecided"], again["quarantined"]) == (1, 0)
    assert "still there" in again["open"][0]

    del rows[9]
    assert sealed(shell, tmp_path / "data", rows, told)["epoch"] == 2
    done = shell(*screen, "--decisions", out / "decided.json")
    assert (done["undecided"], done["quarantined"], done["cleared"], done["open"]) == (0, 1, 1, [])
    assert shell.control()["state"] == "satisfied"

    files = b"".join(path.read_bytes() for path in out.iterdir()).decode()
    assert odd.split()[0] not in files
    shown = shell("dataset", "show", known["dataset"], "--json")
    assert [(one["epoch"], one["screened"]["undecided"], one["purposes"]) for one in shown["epochs"]] == [
        (2, 0, {"screen": 1}),
        (1, 1, {"screen": 2}),
    ]
    assert shown["name"] == "letters"

    shell("run", "--dataset", "letters", "--", "true")
    assert "look with --no-record" in shell(*screen[:-1], code=3)
    assert shell(*screen, "--no-record", code=1)["order"] == "after-training"


def test_without_labels_the_control_says_why_and_mistakes_state_nothing(shell, tmp_path):
    sealed(shell, tmp_path / "data", texts(210, 3, signal=0.2))
    out = ("--out", tmp_path / "out")
    (tmp_path / "bad.json").write_text('{"format": "other"}')
    for arguments in (
        ("letters", "--label", "no such column", *out),
        ("letters", "--decisions", tmp_path / "bad.json", *out),
    ):
        assert shell("dataset", "screen", *arguments, code=2).startswith("ringfence: ")
    assert not (tmp_path / "out").exists()
    assert "nothing is stated" in shell("dataset", "screen", "letters", "--no-record", *out, code=1)
    assert "screened" not in shell("dataset", "show", "letters")

    found = shell("dataset", "screen", "letters", *out, "--json", code=1)
    assert found["checks"] == ["duplicate", "outlier", "source-trust"]
    assert found["sources_untrusted"] == 1
    assert "not all of outliers, flipped labels" in shell.control()["because"]

    sealed(shell, tmp_path / "data", texts(200, 4))
    assert "newest epoch" in shell("dataset", "screen", "letters@1", *out, code=3)
    shell("run", "--dataset", "letters", "--", "true")
    late = shell("dataset", "screen", "letters", "--label", "label", *out, "--json", code=1)
    assert late["order"] == "after-training"
    assert "not screened before training" in shell.control()["because"]
