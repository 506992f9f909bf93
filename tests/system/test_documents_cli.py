"""`ringfence report annex-iv` and `ringfence policy`, as a person runs them."""

import json

import pytest

from ringfence.exports.annexiv.declaration import template
from ringfence.installation import SystemClock
from ringfence.kernel.digest import Digest
from ringfence.obligations.scope.rules import sample
from ringfence.testing import program
from ringfence.testing.home import make
from ringfence.testing.policies import filled

TODAY = SystemClock().now().date()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return make(tmp_path_factory.mktemp("documents") / "home")


@pytest.fixture(scope="module")
def ringfence():
    """Run one command; return exit code, standard output, standard error."""

    def run(*arguments, env):
        done = program.called(env, *map(str, arguments))
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture(scope="module")
def system(home, ringfence, tmp_path_factory):
    """Return the id of the first system of the sample organisation, whose scope is signed."""
    file = tmp_path_factory.mktemp("scope") / "organisation.yaml"
    file.write_text(sample())
    code, _, err = ringfence("scope", file, "--sign", env=home.environment())
    assert code == 0, err
    return err.split("about system/")[1].split()[0]


def declaration(
    system, text="The system answers questions of hospital staff about their rota.", author="Head of Product"
):
    lines = [f"system: {system}", "points:", "  iv-1:", f"  - text: {text}", f"    author: {author}"]
    return "\n".join([*lines, f"    date: {TODAY}", "    rests_on: []"]) + "\n"


def test_what_is_written_is_recorded_by_the_digest_of_its_json(home, system, ringfence, tmp_path):
    (tmp_path / "d.yaml").write_text(declaration(system))
    asked = ("report", "annex-iv", system, "--declaration", tmp_path / "d.yaml", "-o", tmp_path / "t.json", "--json")
    code, out, err = ringfence(*asked, env=home.environment())
    assert code == 0, err
    said, data = json.loads(out), (tmp_path / "t.json").read_bytes()
    assert said["digest"] == str(Digest.of(data))
    assert [point["point"] for point in json.loads(data)["points"]] == [f"iv-{n}" for n in range(1, 10)]
    assert said["missing"] == json.loads(data)["missing"]
    code, _, err = ringfence(*asked, env=home.environment())
    assert (code, "--force" in err) == (2, True)


@pytest.mark.soak  # in short: tests/unit/exports/annexiv/test_rendering.py
def test_the_form_for_readers_names_digest_and_entry(home, system, ringfence, tmp_path):
    to = tmp_path / "t.html"
    code, out, err = ringfence("report", "annex-iv", system, "-o", to, "--json", env=home.environment())
    assert code == 0, err
    said = json.loads(out)
    assert said["digest"] in to.read_text()
    assert f"entry {said['statement']['entry']}" in to.read_text()


def test_placeholders_fail_the_export_with_line_and_field_and_nothing_is_written(home, system, ringfence, tmp_path):
    file = tmp_path / "d.yaml"
    file.write_text(declaration(system, "sdf sdf sdf", "xxx"))
    asked = ("report", "annex-iv", system, "--declaration", file, "-o", tmp_path / "t.md")
    code, out, _ = ringfence(*asked, "--json", env=home.environment())
    found = [(one["line"], one["field"]) for one in json.loads(out)["problems"]]
    assert (code, found) == (1, [(4, "iv-1[0].text"), (5, "iv-1[0].author")])
    assert not (tmp_path / "t.md").exists()


def test_a_declaration_of_another_system_is_refused(home, system, ringfence, tmp_path):
    (tmp_path / "d.yaml").write_text(template(system))
    asked = ("report", "annex-iv", "f" * 12, "--declaration", tmp_path / "d.yaml", "-o", tmp_path / "t.md")
    assert ringfence(*asked, env=home.environment())[0] == 2
    assert not (tmp_path / "t.md").exists()


@pytest.mark.soak  # in short: tests/unit/exports/annexiv/test_service.py
def test_an_unknown_system_is_refused(home, ringfence, tmp_path):
    code, _, err = ringfence("report", "annex-iv", "f" * 12, "-o", tmp_path / "t.md", env=home.environment())
    assert (code, "ringfence scope" in err) == (2, True)


def test_a_template_fails_its_check_and_what_is_filled_in_is_compared_with_the_status(home, ringfence, tmp_path):
    file = tmp_path / "logging.md"
    file.write_text(ringfence("policy", "template", "logging", env=home.environment())[1])
    code, out, _ = ringfence("policy", "check", file, "--text-only", "--json", env=home.environment())
    assert code == 1
    assert {"owner", "text", "declared"} <= {problem["field"] for problem in json.loads(out)["problems"]}
    file.write_text(filled(day=TODAY))
    code, out, _ = ringfence("policy", "check", file, "-o", tmp_path / "filled.md", "--json", env=home.environment())
    found = json.loads(out)
    assert (code, found["problems"], "log-02" in found["contradicted"]) == (1, [], True)
    assert "> CONTRADICTED: LOG-02" in (tmp_path / "filled.md").read_text()


@pytest.mark.soak  # in short: tests/unit/obligations/policies/test_adopted.py
def test_an_adopted_policy_that_is_not_true_is_shown_as_contradicted(home, ringfence, tmp_path):
    file, other = tmp_path / "logging.md", tmp_path / "list.csv"
    file.write_text(filled(day=TODAY))
    other.write_text("who,when\n")
    asked = ["policy", "adopt", file, "--set", "addressees=2", "--set", "acknowledged=2", "--set", "uncovered=0"]
    code, _, err = ringfence(*asked, "--attach", f"acknowledgements={other}", env=home.environment())
    assert (code, "--attach basis=FILE" in err) == (2, True)
    asked += ["--attach", f"acknowledgements={other}", "--attach", f"basis={other}"]
    code, out, err = ringfence(*asked, "--json", env=home.environment())
    assert code == 0, err
    assert "log-02" in json.loads(out)["contradicted"]
    rows = json.loads(ringfence("policy", "list", "--json", env=home.environment())[1])["policies"]
    (row,) = [one for one in rows if one["policy"] == "logging"]
    assert row["state"] == "contradicted"
    assert row["adopted"]["entry"] == json.loads(out)["statement"]["entry"]


def test_a_policy_with_a_placeholder_is_not_adopted(home, ringfence, tmp_path):
    file = tmp_path / "logging.md"
    file.write_text(filled(day=TODAY).replace("the platform team", "todo", 1))
    code, _, err = ringfence("policy", "adopt", file, env=home.environment())
    assert (code, "todo" in err) == (2, True)
