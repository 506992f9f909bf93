import subprocess
import sys

import pytest

from ringfence.main import VERBS, run
from ringfence.testing import program

HEAVY = ("sqlalchemy", "fastapi", "httpx", "cryptography", "uvicorn", "cedarpy", "rich.console")


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom ringfence.main import run\n"
        "try:\n    run(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert all(verb in done.stdout for verb in VERBS)


@pytest.mark.parametrize("arguments", [["nothing"], ["--nothing"], ["ledger", "nothing"], ["ledger", "prove"]])
def test_wrong_usage_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    assert ended.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, capsys):
    with pytest.raises(SystemExit) as ended:
        run([verb, "--help"])
    assert not ended.value.code
    shown = capsys.readouterr().out
    assert "Usage" in shown
    assert "install-completion" not in shown  # that is the whole program's, and there once
    assert "╭" not in shown


def test_a_reader_that_goes_away_is_no_error(home_now):
    command = [*program.COMMAND, "ledger", "list", "--json", "--limit", "500"]
    given = program.environment(home_now.environment())
    child = subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    child.stdout.close()
    with child.stderr:
        errors = child.stderr.read()
    child.wait()
    assert "Traceback" not in errors
    assert errors == ""
