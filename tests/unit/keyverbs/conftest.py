import json

import pytest

from ringfence.main import run
from ringfence.testing.home import TENANT


@pytest.fixture(scope="module")
def held(made_now, tmp_path_factory):
    """The signing keys of every copy of this home, by role, at the cost of no verb."""
    with made_now.copy(tmp_path_factory.mktemp("held") / "home").services() as services:
        return {each.role: each for each in services.keys.history(TENANT)}


@pytest.fixture
def say(monkeypatch, capsys, home_now):
    """Run a verb in this process; return code, document or text, and what was said beside it."""
    for name, value in home_now.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RINGFENCE_PASSPHRASE_FILE", raising=False)

    def verb(*arguments):
        with pytest.raises(SystemExit) as ended:
            run([*map(str, arguments)])
        out, err = capsys.readouterr()
        code = int(ended.value.code or 0)
        return code, json.loads(out) if "--json" in arguments and out else out, err

    return verb


@pytest.fixture
def signing_keys(say):
    """Return what the list says of signing keys, by role."""
    return lambda: {row["role"]: row for row in say("key", "list", "--json")[1]["signing_keys"]}
