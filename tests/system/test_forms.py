"""`ringfence record` and the Record pages: a form from its template to the log, and what is refused on the way."""

import base64
import json
import re
from dataclasses import replace

import pytest
import yaml

from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.obligations.forms import shelf
from ringfence.obligations.forms.drafting import draft
from ringfence.obligations.forms.model import Kind
from ringfence.testing import program
from ringfence.testing.filled import filled
from ringfence.testing.home import TENANT, signed

FORM = "asset.classified"


def today():
    from ringfence.installation import SystemClock

    return SystemClock().now().date()


@pytest.fixture
def say(home_now):
    """Run a verb in this process, in a home with one person per role."""

    def verb(*arguments, **environment):
        return program.called({"RINGFENCE_HOME": str(home_now.path)} | environment, *map(str, arguments))

    return verb


@pytest.fixture
def written(tmp_path, say):
    """The printed template, filled, with the documents that it names beside it."""
    document = yaml.safe_load(say("record", FORM, "--template").stdout)
    answers = filled(FORM, today())
    document["claims"] |= {name: answers.claims[name] for name in document["claims"]}
    for name in document["files"]:
        (tmp_path / f"{name}.pdf").write_bytes(name.encode())
        document["files"][name] = f"{name}.pdf"
    document["details"] = {"summary": "Nothing new, says Ada."}
    place = tmp_path / "filled.yaml"
    place.write_text(json.dumps(document))
    return place


def newest(say, predicate=FORM):
    return json.loads(say("ledger", "list", "--predicate", predicate, "--json").stdout)["statements"]


def test_a_form_from_its_template_to_the_log(say, written):
    done = say("record", FORM, "--file", written, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["statement"]["stage"] == "published"
    (statement,) = newest(say)
    assert (statement["strength"], statement["role"]) == ("documented", "operator")
    assert statement["claims"]["assets"] == 0
    assert "Ada" not in json.dumps(statement)
    listed = json.loads(say("record", "--list", "--json").stdout)["types"]
    (row,) = [each for each in listed if each["type"] == FORM]
    assert row["way"] == "form"
    assert row["last"]["entry"] == statement["entry"]
    assert row["fresh_until"]
    assert row["controls"]


def test_an_attached_document_stays_here_and_can_be_shown_later(say, written, home_now):
    assert say("record", FORM, "--file", written).returncode == 0
    (statement,) = newest(say)
    with home_now.services() as services:
        (logged,) = services.ledger.statements(TENANT, (FORM,))
    files = logged.opening.details["files"]
    assert files["register"]["name"] == "register.pdf"
    salt = bytes.fromhex(files["register"]["salt"])
    assert statement["claims"]["register"] == str(Digest.of(salt + b"register"))
    assert len({one["salt"] for one in files.values()}) == len(files)


def test_what_the_command_line_says_counts_before_the_file(say, written):
    assert say("record", FORM, "--file", written, "--set", "assets=7", "--detail", "summary=x").returncode == 0
    assert newest(say)[0]["claims"]["assets"] == 7


DO_NOT_FIT = {
    ("--set", "assets=many"): "assets: is a whole number",
    ("--set", "assets=-1"): "assets: is a whole number",
    ("--set", "nothing=1"): "does not ask 'nothing'",
    ("--set", "recovery=me"): "recovery is one of",
    ("--set", "classifiedOn=2020-01-01"): "classifiedOn lies between",
    ("--attach", "assets=filled.yaml"): "asks for no document 'assets'",
    ("--attach", "register=missing.pdf"): "does not exist",
    ("--detail", "diary=x"): "has no room",
    ("--details", "missing.yaml"): "does not exist",
}
OPEN = {
    (FORM,): "answer the form",
    (): "name an evidence type",
    ("no.such",): "no collector states",
    ("log.heartbeat", "--template"): "has no form to fill",
    ("log.heartbeat", "--set", "a=1"): "has no form to fill",
    (FORM, "--set", "assets=1"): "is not answered",
    ("risk.assessment", "--set", "risks=0"): "counted in the register, and typed by nobody",
}


def test_what_does_not_fit_is_one_sentence_and_nothing_is_signed(say, written):
    for arguments, words in DO_NOT_FIT.items():
        done = say("record", FORM, "--file", written, *arguments)
        assert (done.returncode, words in done.stderr) == (2, True), (arguments, done.stderr)
        assert "Traceback" not in done.stderr
    assert newest(say) == []


def test_nothing_is_assumed(say):
    for arguments, words in OPEN.items():
        done = say("record", *arguments)
        assert (done.returncode, words in done.stderr) == (2, True), (arguments, done.stderr)


def test_an_auditor_states_nothing(say, written, home_now):
    done = say("record", FORM, "--file", written, RINGFENCE_OPERATOR=home_now.people[Role.AUDITOR].id)
    assert done.returncode == 3
    assert "does not permit record.form" in done.stderr
    assert newest(say) == []


def test_it_works_against_a_running_installation(home_now, say, written):
    given = {"RINGFENCE_HOME": str(home_now.path)}
    with program.serving(given):
        done = program.run(given, "record", FORM, "--file", str(written), "--json")
        assert done.returncode == 0, done.stderr
        collected = program.run(given, "record", "log.heartbeat", "--json")
    assert json.loads(done.stdout)["type"] == FORM
    assert json.loads(collected.stdout)["type"] == "log.heartbeat"
    assert len(newest(say)) == 1


@pytest.fixture
def posted(services, home):
    """What a person posts who signed a form, changed at will."""

    def post(role=Role.OWNER, path=f"/api/v1/forms/{FORM}", **changes):
        day = services.clock.now().date()
        wanted = replace(draft(shelf.form(FORM), filled(FORM, day), TENANT, day), **changes)
        envelope, opening = signed(services, home.people[role], wanted)
        body = {"envelope": base64.b64encode(envelope.data).decode(), "opening": opening.to_text()}
        with home.http(services, role) as http:
            return http.post(path, json=body)

    return post


def test_there_is_one_way_for_a_form_into_the_log(posted):
    assert posted(path="/api/v1/statements").status_code == 403
    assert posted(path="/api/v1/forms/training.record").status_code == 403
    assert posted(path="/api/v1/forms/log.heartbeat").status_code == 404
    assert posted().status_code == 201


def test_who_may_say_it_is_what_the_policies_say(posted):
    for role in (Role.AUDITOR, Role.VENDOR, Role.CUSTOMER):
        answer = posted(role)
        assert (answer.status_code, "record.form" in answer.text) == (403, True), role
    assert [posted(role).status_code for role in (Role.ENGINEER, Role.SECURITY, Role.MANAGEMENT)] == [201] * 3


HTML = {"accept": "text/html"}


@pytest.fixture
def browser(services, home):
    with home.http(services) as http:
        yield http


def fields(services):
    """What the page's form sends when everything is answered."""
    day = services.clock.now().date()
    found = {}
    for name, value in filled(FORM, day).claims.items():
        listed = value or ["none"] if isinstance(value, list) else [value]
        found[name] = [str(one) for one in listed]
    for question in shelf.form(FORM).of_kind(Kind.FILE):
        found[question.name] = f"{'0' * 64} sha256:{'1' * 64} {question.name}.pdf"
    return found


def test_the_page_lists_every_kind_of_evidence(browser):
    page = browser.get("/record", headers=HTML)
    assert page.status_code == 200
    assert f'href="/record/{FORM}"' in page.text
    assert "ringfence record log.heartbeat" in page.text


def test_every_form_that_ships_has_its_page(browser):
    for name in sorted(shelf.types()):
        page = browser.get(f"/record/{name}", headers=HTML)
        assert page.status_code == 200, (name, page.text[:500])
        for question in shelf.form(name).questions:
            if question.kind is not Kind.COMPUTED:
                assert f'name="{question.name}"' in page.text, (name, question.name)


def test_what_is_filled_is_shown_again_before_it_is_signed(browser, services):
    answer = browser.post(f"/record/{FORM}", data=fields(services), headers=HTML)
    assert answer.status_code == 303, re.findall('class="wrong"[^>]*>([^<]*)', answer.text)
    assert answer.headers["location"].startswith("/sign/act-")
    page = browser.get(answer.headers["location"], headers=HTML).text
    assert FORM in page
    assert "organisation/main" in page
    assert "1" * 10 in page
    assert services.ledger.statements(TENANT, (FORM,)) == []


def test_what_is_wrong_stands_beside_its_question_and_the_rest_is_kept(browser, services):
    sent = fields(services) | {"assets": "many", "classifiedOn": "2020-01-01", "details.summary": "kept <b>"}
    sent.pop("recovery")
    answer = browser.post(f"/record/{FORM}", data=sent, headers=HTML)
    assert answer.status_code == 422
    wrong = re.findall(r'class="wrong"[^>]*>([^<]*)<', answer.text)
    assert len(wrong) == 3
    assert "is a whole number" in wrong
    assert "is not answered" in wrong
    assert any("lies between" in words for words in wrong)
    assert 'value="many"' in answer.text
    assert "kept &lt;b&gt;" in answer.text


def test_an_empty_page_assumes_nothing(browser):
    answer = browser.post(f"/record/{FORM}", data={"x": "y"}, headers=HTML)
    asked = [one for one in shelf.form(FORM).questions if one.kind is not Kind.COMPUTED]
    assert answer.status_code == 422
    assert answer.text.count('class="wrong"') == len(asked)


def test_a_document_is_a_salt_a_digest_and_a_name(browser, services):
    for value in ("x", "sha256:" + "1" * 64, "0" * 64 + " sha256:" + "1" * 64 + " a\nb"):
        answer = browser.post(f"/record/{FORM}", data=fields(services) | {"register": value}, headers=HTML)
        assert (answer.status_code, "attached document" in answer.text) == (422, True), value
