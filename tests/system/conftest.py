"""Commands as a person runs them; the auditors' script in this process, for verdicts beside `ringfence verify`."""

import contextlib
import importlib.util
import io
import re
import sys
from pathlib import Path

import pytest

from ringfence.ledger import trust as trust_file
from ringfence.testing import program

SCRIPT = Path(__file__).parents[2] / "docs" / "auditors" / "verify_pack.py"


@pytest.fixture(scope="session")
def ringfence():
    """Run one command; return exit code, standard output, standard error."""

    def run(*arguments, env):
        done = program.run(env, *map(str, arguments))
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("verify_pack", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.insert(0, str(SCRIPT.parent))  # as Python does where it runs the file: witnesses.py is beside it
    yield module
    sys.path.remove(str(SCRIPT.parent))


@pytest.fixture
def by_script(script, tmp_path):
    """Let the script check a pack; return its exit code and the records that it names."""

    def run(pack, trust):
        (tmp_path / "a.pack").write_bytes(pack)
        (tmp_path / "trust.json").write_text(trust_file.to_text(trust), encoding="utf-8")
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
            code = script.main([str(tmp_path / "a.pack"), str(tmp_path / "trust.json")])
        return code, {int(number) for number in re.findall(r"^FAILED: record (\d+)", said.getvalue(), re.MULTILINE)}

    return run
