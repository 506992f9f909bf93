"""`ringfence run` as a person types it: a real home, a real repository, a node where one can run."""

import base64
import json
import os
import signal
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest

from ringfence.testing import program
from ringfence.workloads import scoping
from ringfence.workloads.runs import cli

SECRET = b"patient-0017,positive\n"
TRAIN = """
import os, pathlib
data = pathlib.Path(os.environ["RINGFENCE_INPUTS"], "claims", "a.csv").read_bytes()
out = pathlib.Path(os.environ["RINGFENCE_OUTPUTS"])
(out / "config.json").write_text('{"rows": %d}' % data.count(b"\\n"))
print("trained")
"""


class Work:
    """Somebody with a home, a sealed dataset, and a repository with one commit."""

    def __init__(self, folder):
        self.folder, self.tree = folder, folder / "tree"
        path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))  # noqa: PTH120 - a PATH is text
        self.environment = {"RINGFENCE_HOME": str(folder / "home"), "PATH": path, "HOME": str(folder)}
        self.tree.mkdir()
        self.done("init")
        (folder / "src").mkdir()
        (folder / "src" / "a.csv").write_bytes(SECRET)
        self.sealed = self.done("dataset", "seal", str(folder / "src"), "claims")
        (folder / "src" / "a.csv").unlink()
        (self.tree / "train.py").write_text(TRAIN)
        for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
            self.git(*command)

    def git(self, *arguments):
        named = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        done = subprocess.run(["git", *named, *arguments], cwd=self.tree, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def run(self, *arguments, code=0):
        at = arguments.index("--") if "--" in arguments else len(arguments)
        with chdir(self.tree):
            done = program.called(self.environment, *arguments[:at], "--json", *arguments[at:])
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout), done.stderr

    def done(self, *arguments):
        return self.run(*arguments)[0]

    def manifest(self):
        return self.done("ledger", "list", "--predicate", "run.manifest", "--limit", "1")["statements"][0]

    def lies_on_the_disk(self):
        """Tell whether the plaintext is in any file that this test could have made."""
        found = subprocess.run(
            ["grep", "-rlF", SECRET.decode().strip(), str(self.folder)], capture_output=True, check=False
        )
        return found.stdout.decode().split()


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return Work(tmp_path_factory.mktemp("run"))


@pytest.fixture
def out(tmp_path):
    return tmp_path / "model"


def asked(out, *more):
    return ("run", "--dataset", "claims", "--out", str(out), "--seed", "7", *more)


def test_from_the_command_to_a_model_with_a_lineage(work, out, capfd):
    document, _ = work.run(*asked(out), "--", "python", "train.py")
    assert capfd.readouterr() == ("", "trained\n"), "standard output is for the document"
    assert json.loads((out / "config.json").read_text()) == {"rows": 1}
    stated = work.manifest()
    claims = stated["claims"]
    [used] = claims["inputs"]
    assert {name: used[name] for name in ("dataset", "epoch", "seal")} == {
        "dataset": work.sealed["dataset"],
        "epoch": 1,
        "seal": work.sealed["seal"],
    }
    assert used["ciphertextRoot"] == work.sealed["ciphertext_root"]
    assert (claims["code"], claims["commit"], claims["dirty"]) == ("git", work.git("rev-parse", "HEAD"), False)
    assert (claims["outcome"], claims["exitCode"], claims["seed"], claims["outputs"]) == ("completed", 0, 7, 1)
    assert (stated["strength"], stated["role"], stated["standing"]) == ("observed", "operator", "trusted")
    assert document["statement"]["envelope"] == stated["envelope"]
    opened = work.done("ledger", "list", "--predicate", "dataset.opened", "--limit", "1")["statements"][0]
    assert opened["claims"]["purpose"] == "run"
    assert opened["entry"] < stated["entry"]

    before = work.done("status", "--control", "MOD-02")["controls"][0]
    signed = work.done("model", "sign", str(out))
    after = work.done("status", "--control", "MOD-02")["controls"][0]
    assert (before["state"], after["state"]) == ("not-satisfied", "satisfied"), after["because"]
    assert signed["digest"] == document["outputs_digest"]
    assert work.lies_on_the_disk() == []


def test_the_provenance_beside_the_outputs_points_to_the_log(work, out):
    document, _ = work.run(*asked(out), "--", "python", "train.py")
    envelope = json.loads(Path(document["provenance"]).read_bytes())
    said = json.loads(base64.b64decode(envelope["payload"]))
    assert [subject["name"] for subject in said["subject"]] == ["config.json"]
    [pointer] = said["predicate"]["runDetails"]["byproducts"]
    assert f"sha256:{pointer['digest']['sha256']}" == document["statement"]["envelope"]
    assert envelope["signatures"][0]["keyid"] == work.manifest()["issuer"]
    assert Path(document["provenance"]).parent == out.parent


def test_a_dirty_tree_and_a_command_that_fails_are_recorded(work, out):
    (work.tree / "new.py").write_text("new")
    try:
        document, _ = work.run(*asked(out), "--", "sh", "-c", "exit 4", code=1)
    finally:
        (work.tree / "new.py").unlink()
    claims = work.manifest()["claims"]
    assert (claims["run"], claims["outcome"], claims["exitCode"]) == (document["run"], "failed", 4)
    assert (claims["dirty"], claims["changes"], claims["outputs"]) == (True, 1, 0)


def test_a_base_model_a_difference_and_a_claim_about_privacy_are_recorded(work, out, tmp_path):
    claim = {"unit": "user", "mechanism": "dp-sgd", "accountant": "prv", "epsilon": "3", "delta": "1e-6"}
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").write_text("{}")
    (tmp_path / "privacy.json").write_text(json.dumps(claim))
    before = (work.tree / "train.py").read_text()
    (work.tree / "train.py").write_text(before + "# not committed\n")
    options = ("--base", str(tmp_path / "base"), "--privacy", str(tmp_path / "privacy.json"))
    change = "import os; open(os.environ['RINGFENCE_BASES'] + '/config.json', 'w').write('[]')"
    try:
        document, _ = work.run(*asked(out), *options, "--", "python", "-c", change)
    finally:
        (work.tree / "train.py").write_text(before)
    claims = work.manifest()["claims"]
    assert [base["files"] for base in claims["models"]] == [1]
    assert claims["baseChanged"]
    assert claims["diffBytes"] == document["diff_bytes"] > 0
    [said] = claims["privacy"]
    assert (said["epsilon"], said["unit"], said["noiseMultiplier"]) == ("3", "user", "")
    found = work.done("lineage", "show", f"run:{claims['run']}")
    assert {gap["kind"] for gap in found["gaps"]} == {"code-changed", "no-origin"}


def test_a_base_model_is_not_sent_to_a_node(work, out):
    _, said = work.run(*asked(out), "--base", ".", "--class", "namespace", "--", "true", code=2)
    assert "is not sent to a node" in said
    assert work.done("node", "list")["nodes"] == []


def test_ctrl_c_is_recorded_and_leaves_nothing(work, out):
    command = [
        *program.COMMAND,
        *asked(out),
        "--json",
        "--",
        "sh",
        "-c",
        "echo part > $RINGFENCE_OUTPUTS/part; echo on >&2; exec sleep 300",
    ]
    environment = program.environment(work.environment)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, cwd=work.tree, stdout=pipe, stderr=pipe, text=True) as child:
        assert child.stderr.readline() == "on\n"
        child.send_signal(signal.SIGINT)
        document = json.loads(child.stdout.read())
    assert child.returncode == 1
    claims = work.manifest()["claims"]
    assert (claims["run"], claims["outcome"], claims["signal"]) == (document["run"], "interrupted", signal.SIGINT)
    assert claims["outputs"] == 1
    assert work.lies_on_the_disk() == []


def test_what_cannot_be_run_is_said_in_a_sentence_and_uses_no_key(work):
    entries = work.done("ledger", "head")["size"]
    for arguments, code in (
        (("run", "--dataset", "other", "--", "true"), 2),
        (("run", "--dataset", "claims@2", "--", "true"), 2),
        (("run", "--node", "nobody", "--", "true"), 2),
        (("run", "--node", "a", "--class", "vm", "--", "true"), 2),
        (("run", "--class", "cloud", "--", "true"), 2),
        (("run", "--class", "own", "--", "true"), 2),
        (("run", "--out", str(work.tree), "--", "true"), 2),
        (("run", "--env", "RINGFENCE_TOKEN=x", "--", "true"), 2),
    ):
        document, said = work.run(*arguments, code=code)
        assert document["error"]["message"] in said
    assert work.done("ledger", "head")["size"] == entries


def test_a_manifest_is_posted_to_its_own_address_only(home):
    """The general address takes what is computed again from its profile; a run is checked elsewhere."""
    with home.services() as services:
        assert set(scoping.takers(services.scopes)) == {"entity.classification", "ai.classification"}


def test_a_node_whose_start_is_interrupted_is_stopped():
    asked = []

    class Desk(cli._Desk):
        def _ask(self, method, path, body=None):  # noqa: ARG002
            asked.append((method, path.rpartition("/")[2]))
            if path == cli.NODES:
                raise KeyboardInterrupt
            return {}

    with pytest.raises(KeyboardInterrupt), Desk(None).place("", "namespace"):
        pass
    assert asked == [("POST", "nodes"), ("POST", "stop")]


def test_on_a_node(work, out, capfd):
    offers = {offer["class"]: offer for offer in work.done("node", "offers")["offers"]}
    if not offers["namespace"]["available"]:
        pytest.skip(f"no namespace node can run here: {offers['namespace']['because']}")
    document, _ = work.run(*asked(out, "--class", "namespace"), "--", "python", "train.py")
    assert "trained\n" in capfd.readouterr().err
    assert json.loads((out / "config.json").read_text()) == {"rows": 1}
    claims = work.manifest()["claims"]
    assert (claims["node"], claims["nodeClass"]) == (document["node"], "namespace")
    assert (claims["inputPlace"], claims["shipped"]) == ("node-memory", 1)
    assert claims["packages"] > 10
    assert [node for node in work.done("node", "list")["nodes"] if node["name"].startswith("run-")] == []
    assert work.lies_on_the_disk() == []
