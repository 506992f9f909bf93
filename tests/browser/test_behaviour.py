"""What the pages do: check proofs, show a wrong byte, follow the keyboard, change by themselves, keep to the policy."""

import base64
import json

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

ENTRY = 3
CHIP = ".chip[data-proof]"


def flipped(text: str, at: int) -> str:
    data = bytearray(base64.b64decode(text))
    data[at] ^= 1
    return base64.b64encode(bytes(data)).decode()


def changed_note(document: dict, part: str) -> None:
    origin, size, root, *rest = document["checkpoint"].split("\n")
    if part == "root":
        root = flipped(root, 0)
    if part == "signature":
        rest[1] = " ".join((*rest[1].split(" ")[:2], flipped(rest[1].split(" ")[2], 10)))
    document["checkpoint"] = "\n".join((origin, size, root, *rest))


def changed_payload(document: dict) -> None:
    envelope = json.loads(base64.b64decode(document["envelope"]))
    envelope["payload"] = flipped(envelope["payload"], -40)
    document["envelope"] = base64.b64encode(json.dumps(envelope).encode()).decode()


CHANGES = {
    "payload": (changed_payload, "signature does not match the statement"),
    "issuer key": (lambda d: d.update(issuerKey=flipped(d["issuerKey"], 5)), "not the one that signed this"),
    "no issuer": (lambda d: d.update(issuerKey=None), "never enrolled"),
    "time": (lambda d: d.update(recordedAt=d["recordedAt"] + 1), "does not lead to the root"),
    "number": (lambda d: d["place"].update(sequence=d["place"]["sequence"] + 1), "does not lead to the root"),
    "tenant": (lambda d: d["place"].update(tag=flipped(d["place"]["tag"], 31)), "does not lead to the root"),
    "no number": (lambda d: d.update(place=None), "does not lead to the root"),
    "bad number": (lambda d: d.update(place={}), "is malformed"),
    "path": (lambda d: d["path"].__setitem__(0, flipped(d["path"][0], 31)), "does not lead to the root"),
    "short path": (lambda d: d["path"].pop(), "too short"),
    "long path": (lambda d: d["path"].append(d["path"][0]), "too long"),
    "entry": (lambda d: d.update(entry=ENTRY + 1), "another entry"),
    "size": (lambda d: d.update(size=d["size"] + 1), "another size"),
    "root": (lambda d: changed_note(d, "root"), "does not lead to the root"),
    "log signature": (lambda d: changed_note(d, "signature"), "does not match the checkpoint"),
    "log key": (
        lambda d: d.update(
            logKeys=["other.example/log" + d["logKeys"][0][d["logKeys"][0].index("+") :], d["logKeys"][1]]
        ),
        "not an Ed25519 key of this log",
    ),
    "no format": (lambda d: d.pop("format"), "not a proof of ours"),
}


def serve_changed(tab, change):
    def answer(route):
        document = route.fetch().json()
        change(document)
        route.fulfill(json=document)

    tab.route("**/proof.json", answer)


def test_tick_appears_once_this_browser_has_done_every_check(tab, console):
    tab.goto(f"{console}/evidence/{ENTRY}")
    expect(tab.locator(CHIP)).to_have_attribute("data-verdict", "verified")
    expect(tab.locator(f"{CHIP} .verdict")).to_have_text("checked in this browser")
    for step in ("signature", "leaf", "inclusion", "checkpoint"):
        expect(tab.locator(f"[data-step={step}]")).to_have_attribute("data-verdict", "verified")
    expect(tab.locator("[data-step=post-quantum]")).to_have_text(
        "ML-DSA-44 signature: not checked here; use verify_pack.py"
    )


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_proof_is_red(tab, console, name):
    change, words = CHANGES[name]
    serve_changed(tab, change)
    tab.goto(f"{console}/evidence/{ENTRY}")
    chip = tab.locator(CHIP)
    expect(chip).to_have_attribute("data-verdict", "failed")
    expect(chip).to_contain_text(words)
    assert chip.locator("use").first.get_attribute("href").endswith("#cross")


def test_a_flipped_byte_is_red_in_the_picture_too(tab, console, pictures):
    serve_changed(tab, CHANGES["path"][0])
    tab.goto(f"{console}/evidence/{ENTRY}")
    expect(tab.locator(CHIP)).to_have_attribute("data-verdict", "failed")
    tab.screenshot(path=pictures / "record-flipped-light.png", full_page=True)


def test_another_statement_with_a_good_proof_of_its_own_is_red(tab, console):
    tab.route(
        "**/evidence/3/proof.json",
        lambda route: route.fulfill(json=route.fetch(url=f"{console}/evidence/5/proof.json").json() | {"entry": 3}),
    )
    tab.goto(f"{console}/evidence/{ENTRY}")
    expect(tab.locator(CHIP)).to_contain_text("not the one this page shows")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "crypto.subtle.importKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'))",
            "not checked in this browser: it has no Ed25519",
        ),
        ("Object.defineProperty(crypto, 'subtle', {value: undefined})", "not checked in this browser: WebCrypto needs"),
    ],
)
def test_a_browser_that_cannot_check_says_so_and_shows_no_tick(tab, console, script, words):
    tab.add_init_script(script)
    tab.goto(f"{console}/evidence/{ENTRY}")
    expect(tab.locator(CHIP)).to_have_attribute("data-verdict", "unavailable")
    expect(tab.locator(CHIP)).to_contain_text(words)


def test_a_proof_that_cannot_be_fetched_is_no_verdict(tab, console):
    tab.route("**/proof.json", lambda route: route.fulfill(status=503, json={"detail": "not published yet"}))
    tab.goto(f"{console}/evidence/{ENTRY}")
    expect(tab.locator(CHIP)).to_have_attribute("data-verdict", "unavailable")
    expect(tab.locator(CHIP)).to_contain_text("not published yet")


def test_the_list_checks_a_row_when_asked(tab, console):
    tab.goto(f"{console}/evidence")
    row = tab.locator("tr", has_text="access.register")
    expect(row.locator(CHIP)).to_have_attribute("data-verdict", "unchecked")
    row.get_by_role("button", name="Check the proof of entry").click()
    expect(row.locator(CHIP)).to_have_attribute("data-verdict", "verified")
    expect(tab.locator(f"{CHIP}[data-verdict=unchecked]")).to_have_count(13)


def test_by_keyboard_alone_from_today_to_a_proof(tab, console):
    tab.goto(console)
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="Skip to the content")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.locator("main")).to_be_focused()
    tab.keyboard.press("j")
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.goto(f"{console}/evidence")
    for key in "jjjk":
        tab.keyboard.press(key)
    expect(tab.locator("[data-row]").nth(1).locator("a").first).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(f"{console}/evidence/12")
    expect(tab.locator(CHIP)).to_have_attribute("data-verdict", "verified")


def test_new_entries_arrive_by_themselves(tab, live):
    console, lab = live
    tab.goto(f"{console}/evidence")
    expect(tab.locator("[data-row]")).to_have_count(14)
    lab.log.state("log.heartbeat", {"sources": 9}, by="control")
    expect(tab.locator("[data-row]")).to_have_count(15)
    expect(tab.locator("[data-row]").first).to_contain_text("log.heartbeat")
    expect(tab.locator("#announced")).to_have_text("New: entry 14, log.heartbeat")
    tab.locator("[data-row]").first.get_by_role("button", name="Check the proof").click()
    expect(tab.locator("[data-row]").first.locator(CHIP)).to_have_attribute("data-verdict", "verified")


def test_today_turns_by_itself_and_keeps_open_what_was_open(tab, live):
    console, lab = live
    tab.goto(console)
    expect(tab.locator("#SEC-04")).to_contain_text("not satisfied")
    tab.locator("#SEC-04 summary").click()
    claims = {"keys": 5, "pastRotation": 0, "unprotected": 0, "kekCustody": "pkcs11", "rootCustody": "exported"}
    lab.log.state("key.lifecycle", claims, by="control")
    expect(tab.locator("#SEC-04 .mark").first).to_have_text("satisfied")
    expect(tab.locator("#SEC-04 details")).to_have_attribute("open", "")


@pytest.mark.parametrize("view", ["light", "narrow"])
def test_by_keyboard_from_today_to_a_control_without_evidence(tab, console):
    tab.goto(console)
    rows = tab.locator("[data-row]")
    expect(tab.locator("#DAT-02")).to_have_count(0)
    for _ in range(rows.count()):
        tab.keyboard.press("j")
    expect(rows.last.locator("a")).to_be_focused()
    tab.keyboard.press("k")
    expect(tab.get_by_role("link", name="People")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(f"{console}/controls/HYG")
    expect(tab.locator("[data-row]")).to_have_count(5)
    for key in ("j", "Tab", "Tab", "Enter"):  # past the control itself and the button that copies the next step
        tab.keyboard.press(key)
    expect(tab.locator("[data-row] details").first).to_have_attribute("open", "")


def test_what_turned_red_leads_to_its_control(tab, console):
    tab.goto(console)
    tab.locator("section", has_text="Turned red").get_by_role("link", name="Dataset sealed").click()
    expect(tab).to_have_url(f"{console}/controls/DAT/DAT-01")
    expect(tab.get_by_role("heading", level=1)).to_contain_text("Dataset sealed")


def test_reason_chain_leads_to_the_record(tab, console, pictures):
    tab.goto(console)
    tab.locator("#DAT-01 summary").click()
    tab.screenshot(path=pictures / "today-why-light.png", full_page=True)
    tab.locator("#DAT-01 a", has_text="Entry").first.click()
    expect(tab.locator("h1")).to_contain_text("What does entry")


def test_theme_switch_is_kept(tab, console):
    tab.goto(console)
    paper = "getComputedStyle(document.body).backgroundColor"
    before = tab.evaluate(paper)
    tab.get_by_role("button", name="Switch between light and dark").click()
    after = tab.evaluate(paper)
    assert before != after
    tab.reload()
    assert tab.evaluate(paper) == after


def test_as_of_leads_to_the_past_and_back(tab, console):
    tab.goto(console)
    tab.locator(".asof summary").click()
    tab.get_by_label("Show this page as it was").fill("2026-11-20T12:30:00")
    tab.get_by_role("button", name="Show").click()
    expect(tab.locator("body.past")).to_be_visible()
    expect(tab.locator(".foot code")).to_have_text("ringfence status --as-of 2026-11-20T12:30:00.000Z")
    tab.get_by_role("link", name="Back to now").first.click()
    expect(tab.locator("body.past")).to_have_count(0)


def test_our_own_forms_say_where_they_come_from(tab, console):
    tab.goto(console)
    with tab.expect_request("**/logout") as sent:
        tab.get_by_role("button", name="Sign out").click()
    assert sent.value.header_value("origin") == console


def test_time_tells_the_local_hour_on_hover(tab, console):
    tab.goto(f"{console}/evidence/{ENTRY}")
    stamp = tab.locator("dd time").first
    stamp.hover()
    assert "local time" in stamp.get_attribute("title")


class TestWithoutJavaScript:
    @pytest.fixture
    def tab(self, browser):
        context = browser.new_context(java_script_enabled=False)
        yield context.new_page()
        context.close()

    def test_pages_read_filter_and_open(self, tab, console):
        tab.goto(f"{console}/evidence")
        tab.get_by_label("Type").select_option("dataset.sealed")
        tab.get_by_role("button", name="Search", exact=True).click()
        expect(tab.locator("[data-row]")).to_have_count(2)
        expect(tab.locator(CHIP).first).to_contain_text("not checked here")
        tab.locator("[data-row] a").first.click()
        expect(tab.locator("h1")).to_contain_text("What does entry")
        expect(tab.locator(CHIP)).to_have_attribute("data-verdict", "unchecked")
