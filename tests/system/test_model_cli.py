"""`ringfence model`, as a person uses it: with an installation and without one."""

import json
import re

import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization
from safetensors.numpy import save

from ringfence.kernel.actor import Role
from ringfence.testing.counting import plain
from ringfence.testing.models import HOSTILE, gguf, pair, text
from ringfence.testing.models import key as signing_key
from ringfence.testing.program import called


@pytest.fixture
def ringfence(home_now):
    """Run a verb over an installation; give its document, or what it said."""

    def run(*arguments, code=0):
        done = called({"RINGFENCE_HOME": str(home_now.path)}, "model", *map(str, arguments))
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout) if "--json" in arguments and done.stdout else done.stdout + done.stderr

    return run


@pytest.fixture
def alone(tmp_path):
    """Run a verb where there is no installation."""

    def run(*arguments, code=0):
        done = called({"RINGFENCE_HOME": str(tmp_path / "none")}, "model", *map(str, arguments))
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout) if "--json" in arguments and done.stdout else done.stdout + done.stderr

    return run


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "tiny"
    made.mkdir()
    (made / "model.safetensors").write_bytes(save({"a": np.ones(4, dtype=np.float32)}))
    (made / "config.json").write_text("{}")
    return made


def test_a_model_from_signature_to_tampering(ringfence, folder, home_now):
    assert "No model" in ringfence("list")
    signed = ringfence("sign", folder, "--json")
    assert (signed["name"], signed["files"], signed["statement"]["stage"]) == ("tiny", 2, "published")
    assert ringfence("verify", folder, "--json")["digest"] == signed["digest"]
    scanned = ringfence("scan", folder, "--json")
    assert (scanned["verdict"], scanned["digest"]) == ("clean", signed["digest"])
    (row,) = ringfence("list", "--json")["models"]
    assert (row["name"], row["scan"], row["digest"], row["key_custody"]) == (
        "tiny",
        "clean",
        signed["digest"],
        "file-plain",
    )
    assert list((home_now.path / "operators").glob("*.model.key"))

    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:-1] + b"\x01")
    assert "'model.safetensors' does not hold the bytes" in ringfence("verify", folder, code=1)
    again = ringfence("sign", folder, "--json")
    assert again["digest"] != signed["digest"]
    (row,) = ringfence("list", "--json")["models"]
    assert (row["digest"], row["scan"]) == (again["digest"], None)


def test_two_controls_follow_what_was_stated(home_now, ringfence, folder):
    def control(name):
        done = called({"RINGFENCE_HOME": str(home_now.path)}, "status", "--control", name, "--json")
        return json.loads(done.stdout)["controls"][0]["state"]

    assert (control("MOD-01"), control("MOD-05")) == ("not-satisfied", "not-satisfied")
    ringfence("sign", folder)
    assert (control("MOD-01"), control("MOD-05")) == ("satisfied", "pending")
    ringfence("scan", folder)
    assert control("MOD-05") == "satisfied"
    (folder / "model.bin").write_bytes(HOSTILE["eval"])
    ringfence("sign", folder)
    ringfence("scan", folder, code=1)
    assert (control("MOD-01"), control("MOD-05")) == ("satisfied", "not-satisfied")


def test_what_is_taken_in_is_scanned_first_and_kept_only_if_clean(ringfence, folder, home_now):
    done = ringfence("import", folder, "mine", "--json")
    assert (done["verdict"], done["statement"]["stage"]) == ("clean", "published")
    assert ringfence("verify", done["path"], "--json")["digest"] == done["digest"]
    assert "imported already" in ringfence("import", folder, "mine", code=2)

    (folder / "weights.bin").write_bytes(HOSTILE["os.system"])
    assert "posix.system" in ringfence("import", folder, "bad", code=1)
    (folder / "weights.bin").write_bytes(b"\x00\x01\x02\x03")
    assert "--accept-unknown" in ringfence("import", folder, "odd", code=3)
    assert sorted(path.name for path in (home_now.path / "models").iterdir() if path.name[0] != ".") == ["mine"]
    assert ringfence("import", folder, "odd", "--accept-unknown", "--json")["verdict"] == "unknown"
    rows = {row["name"]: row["scan"] for row in ringfence("list", "--json")["models"]}
    assert rows == {"mine": "clean", "odd": "unknown"}


def test_a_signed_model_is_taken_in_only_as_it_was_signed(ringfence, folder):
    ringfence("sign", folder)
    (folder / "config.json").write_text("{} ")
    assert "does not hold the files" in ringfence("import", folder, "mine", code=1)


def test_without_an_installation(alone, folder, tmp_path):
    key, public = tmp_path / "key.pem", tmp_path / "pub.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key.write_bytes(signing_key().key.private_bytes(*form))
    key.chmod(0o600)
    assert "--key PEM" in alone("sign", folder, code=2)
    assert "statement" not in alone("sign", folder, "--key", key, "--public-key", public, "--json")
    assert alone("verify", folder, "--key", public, "--json")["result"] == "pass"
    assert "--key PEM" in alone("verify", folder, code=2)
    assert alone("scan", folder, "--json")["verdict"] == "clean"
    (folder / "extra").write_text("x")
    assert "'extra' is not signed" in alone("verify", folder, "--key", public, code=1)


def test_a_scan_of_one_file_names_what_it_saw(alone, tmp_path):
    path = tmp_path / "evil.txt"
    path.write_bytes(HOSTILE["subprocess, protocol 0"])
    assert "subprocess.Popen" in alone("scan", path, code=1)
    path.write_bytes(gguf([pair("tokenizer.chat_template", 8, text("{{ x }}"))]))
    assert "note" in alone("scan", path)


def test_mistakes_end_with_code_2_and_one_sentence(ringfence, folder, tmp_path):
    odd = tmp_path / "Odd Name"
    odd.mkdir()
    (odd / "a").write_text("a")
    for arguments in (
        ("sign", tmp_path / "nothing"),
        ("sign", odd),
        ("sign", folder / "config.json"),
        ("sign", folder, "--as", "Bad Name"),
        ("verify", folder),
        ("import", folder, "../x"),
        ("scan", tmp_path / "nothing"),
    ):
        assert re.fullmatch(r"ringfence: [^\n]+\n", ringfence(*arguments, code=2)), arguments


def test_the_page_shows_what_was_signed_and_what_a_scan_said(home_now, ringfence, folder):
    with home_now.services() as services, home_now.http(services) as client:
        assert "No model is signed yet" in client.get("/models").text
    ringfence("sign", folder)
    (folder / "model.bin").write_bytes(HOSTILE["eval"])
    ringfence("import", folder, "kept", code=1)
    with home_now.services() as services, home_now.http(services) as client:
        page = client.get("/models")
        assert page.status_code == 200
        assert "tiny" in page.text
        assert "not scanned" in page.text
    ringfence("sign", folder)
    ringfence("scan", folder, code=1)
    with home_now.services() as services, home_now.http(services) as client:
        text_ = plain(client.get("/models").text)
        assert "refused" in text_
        assert "1 model signed, 0 with a clean scan" in text_


def test_the_key_of_somebody_who_left_counts_no_more(home_now, folder):
    def run(role, *arguments, code=0):
        done = called(
            {"RINGFENCE_HOME": str(home_now.path), "RINGFENCE_OPERATOR": home_now.people[role].id}, *arguments
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr

    run(Role.ENGINEER, "model", "sign", str(folder))
    run(Role.OWNER, "model", "verify", str(folder))
    run(Role.OWNER, "user", "remove", home_now.people[Role.ENGINEER].id)
    assert "not among those" in run(Role.OWNER, "model", "verify", str(folder), code=1)
