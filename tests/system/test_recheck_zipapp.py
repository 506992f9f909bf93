"""The recompute zipapp: with Python and `cryptography` alone it comes to the verdict of `ringfence verify`."""

import json
import os
import subprocess
import sys

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.ledger import trust as trust_file
from ringfence.obligations import catalog
from ringfence.reports.bundle import zipapp
from ringfence.reports.model import Extent
from ringfence.reports.recompute import evidence_of, needs_of, recompute, rules_of
from ringfence.reports.verify import verify
from ringfence.testing.misnumbering import SCOPE, numbered_cases
from ringfence.testing.succeeding import new_trust, old_trust, renewed, succession_cases
from ringfence.testing.tampering import cases, lab

# Nothing but the zipapp, the standard library and `cryptography` can be imported, and nothing that knows a network.
ALONE = """
import json, sys
from importlib.machinery import PathFinder
ZIP, *PACKS = sys.argv[1:]
class Only:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in ("ringfence", "yaml"):
            return PathFinder.find_spec(name, path or [ZIP])
        if top in ("socket", "ssl") or top not in {*sys.stdlib_module_names, "cryptography", "cffi", "_cffi_backend"}:
            raise ImportError(name)
sys.meta_path.insert(0, Only())
import pkgutil
from ringfence.reports import recheck
rules = pkgutil.get_data("ringfence.reports", "rules.json")
import contextlib, io
for pack in PACKS:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        code = recheck.main([pack, "--trust", pack + ".trust", "--json", *RECOMPUTE], rules)
    named = json.loads(said.getvalue())["failures"] if code < 2 else []
    print(json.dumps([code, sorted({one["record"] for one in named if one["record"]})]))
"""
LOG = lab()
GOOD = [LOG.pack(), lab().pack(extent=SCOPE), lab(unnumbered=5).pack()]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("zipapp") / "recheck.pyz"
    path.write_bytes(zipapp())
    return path


@pytest.fixture
def alone(program, tmp_path):
    def run(packs, *, recomputing=False):
        files = [tmp_path / str(number) for number, _ in enumerate(packs)]
        for file, (pack, trust) in zip(files, packs, strict=True):
            file.write_bytes(pack)
            file.with_name(f"{file.name}.trust").write_text(trust_file.to_text(trust), encoding="utf-8")
        code = f"RECOMPUTE = {['--recompute'] if recomputing else []}\n{ALONE}"
        command = [sys.executable, "-I", "-c", code, str(program), *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={"LANG": "C.UTF-8"})
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def by_ringfence(pack, trust):
    try:
        outcome = verify(pack, trust)
    except MalformedInput as error:
        return [error.exit_code, []]
    return [0 if outcome.ok else 1, sorted({failure.record for failure in outcome.failures} - {None})]


def test_it_is_made_of_the_same_bytes_each_time(program):
    assert zipapp() == program.read_bytes()
    assert program.stat().st_size < 2**20


def test_it_comes_to_the_same_verdict_on_every_case(alone):
    packs = [(pack, LOG.trust()) for pack in GOOD] + [(c.pack, c.trust) for c in (*cases(), *numbered_cases())]
    assert alone(packs) == [by_ringfence(pack, trust) for pack, trust in packs]


def test_it_follows_the_logs_keys_from_an_old_trust_file(alone):
    log = renewed("second", "third")
    pack = log.pack()
    packs = [(pack, old_trust(log)), (pack, new_trust(log))] + [(c.pack, c.trust) for c in succession_cases()]
    verdicts = alone(packs)
    assert verdicts == [by_ringfence(pack, trust) for pack, trust in packs]
    assert [code for code, _ in verdicts[:2]] == [0, 0]


def with_rules(status_of, extent=None):
    log = lab()
    log.rules = status_of
    return log.pack(extent=extent or Extent()), log.trust()


def test_it_computes_the_status_again(alone):
    known = catalog.load()
    rules = rules_of(known, demo=False)

    def painted(statements, tenant, at):
        status = dict(rules(statements, tenant, at))
        controls = [{**control, "state": "satisfied"} for control in status["controls"]]
        return {**status, "controls": controls}

    control = next(name for name, needs in needs_of(known).items() if needs is not None)
    scope = Extent("none", (control,), tuple(sorted(evidence_of(known)([control]))))
    packs = [with_rules(rules), with_rules(rules, scope), with_rules(painted), with_rules(painted, scope)]
    assert [code for code, _ in alone(packs)] == [0, 0, 0, 0]
    assert [code for code, _ in alone(packs, recomputing=True)] == [0, 0, 1, 1]
    for (pack, trust), holds in zip(packs, [True, True, False, False], strict=True):
        assert recompute(verify(pack, trust), rules, needs_of(known)).ok is holds


def test_as_a_program_it_says_what_it_cannot_read(program, tmp_path):
    good, trust = tmp_path / "good.pack", tmp_path / "trust.json"
    good.write_bytes(GOOD[0])
    trust.write_text(trust_file.to_text(LOG.trust()), encoding="utf-8")

    def run(*arguments):
        command = [sys.executable, "-I", str(program), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})

    done = run(good, "--trust", trust, "--recompute")
    assert (done.returncode, "rules" in done.stdout) == (1, True)  # the laboratory's status is by no rules of ours
    done = run(good, "--trust", trust)
    assert done.stdout.splitlines()[-1].startswith("VERIFIED: 8 of 8 records of acme"), done.stderr
    for arguments in ((trust, "--trust", trust), (good, "--trust", good), (tmp_path / "none", "--trust", trust)):
        done = run(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
