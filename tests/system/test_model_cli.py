"""`ringfence model`, as a person uses it: with an installation and without one."""

import json
import re

import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from safetensors.numpy import save

from ringfence.kernel import digest
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.testing.certificates import issue
from ringfence.testing.counting import plain
from ringfence.testing.home import TENANT
from ringfence.testing.models import HOSTILE, cached, gguf, pair, text
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


def test_a_signed_model_is_taken_in_only_as_it_was_signed(ringfence, folder, home_now):
    ringfence("sign", folder)
    (folder / "config.json").write_text("{} ")
    assert "'config.json' does not hold the bytes that were signed" in ringfence("import", folder, "mine", code=1)
    assert not list((home_now.path / "models" / ".contents").glob("??/*"))  # nothing stays of what was refused


def test_a_snapshot_of_a_cache_is_taken_in_as_it_is(ringfence, tmp_path, home_now):
    weights, index = save({"a": np.ones(4, dtype=np.float32)}), digest.dumps({"weight_map": {"a": "w.safetensors"}})
    files = {"w.safetensors": weights, "model.safetensors.index.json": index, "config.json": b"{}"}
    snapshot = cached(tmp_path, files)
    done = ringfence("import", snapshot, "mine", "--json")
    assert done["origin"] == {
        "layout": "hugging-face-cache",
        "repository": "org/name",
        "revision": "1" * 40,
        "left_out": [],
        "signed_by": "",
    }
    assert ringfence("verify", done["path"], "--json")["read"] == 3
    with home_now.services() as services:
        (stated,) = (one.envelope.statement for one in services.ledger.statements(TENANT, ("model.imported",)))
    assert stated.claims["layout"] == "hugging-face-cache"
    assert "org" not in str(stated.claims)  # whose repository it was can be erased

    blob = snapshot / "w.safetensors"
    (blob.parent / blob.readlink()).write_bytes(weights[:-1] + b"\x01")
    assert "by whose digest its cache names it" in ringfence("import", snapshot, "changed", code=1)


def test_a_bill_of_materials_of_what_was_taken_in(ringfence, home_now, tmp_path):
    weights = save({"a": np.ones(4, dtype=np.float32)})
    done = ringfence("import", cached(tmp_path, {"w.safetensors": weights, "config.json": b"{}"}), "mine", "--json")
    target = tmp_path / "mine.cdx.json"
    assert "--out FILE" in ringfence("bom", "mine", "--record", code=2)
    assert "no model" in ringfence("bom", "nothing", code=2)
    stated = ringfence("bom", "mine", "-o", target, "--record", "--json")
    assert stated["statement"]["stage"] == "published"
    document = target.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(document) is None
    ringfence("bom", "mine", "--out", tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == document  # the statement about it is not in it
    component = json.loads(document)["metadata"]["component"]
    assert {one["name"]: one["hashes"][0]["content"] for one in component["components"]} == {
        "w.safetensors": Digest.of(weights).hex,
        "config.json": Digest.of(b"{}").hex,
    }
    assert component["group"] == "org/name"
    status = called({"RINGFENCE_HOME": str(home_now.path)}, "status", "--control", "MOD-03", "--json")
    (control,) = json.loads(status.stdout)["controls"]
    assert control["state"] == "not-satisfied"  # nobody stated what it was trained on, and the list says so
    assert stated["claims"]["filesMatched"] == stated["claims"]["modelFiles"] == 2
    assert stated["claims"]["schemaErrors"] == stated["claims"]["danglingReferences"] == 0
    (tmp_path / "changed").mkdir()
    (tmp_path / "changed" / "config.json").write_text("{}")
    assert "newest signed version" in ringfence("bom", "mine", "--dir", tmp_path / "changed", code=1)
    assert done["digest"][7:] in document


def test_one_file_is_taken_in(ringfence, tmp_path):
    (tmp_path / "tiny.gguf").write_bytes(gguf())
    done = ringfence("import", tmp_path / "tiny.gguf", "tiny", "--json")
    assert (done["files"], done["origin"]["layout"]) == (1, "file")
    assert ringfence("verify", done["path"], "--only", "tiny.gguf", "--json")["read"] == 1
    assert "not among the files" in ringfence("verify", done["path"], "--only", "other", code=1)


def test_a_model_under_a_certificate(ringfence, alone, folder, tmp_path):
    root, stranger = issue("root", ca=True), issue("root", ca=True)
    signer = issue("signer", root)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key = tmp_path / "key.pem"
    key.write_bytes(signer.key.private_bytes(*form))
    key.chmod(0o600)
    named = {}
    for name, one in (("root", root), ("stranger", stranger), ("own", signer)):
        named[name] = tmp_path / f"{name}.pem"
        named[name].write_bytes(one.certificate.public_bytes(serialization.Encoding.PEM))
    alone("sign", folder, "--key", key, "--certificate", named["own"])
    assert alone("verify", folder, "--root", named["root"], "--json")["subject"] == "CN=signer"
    assert "not by" in alone("verify", folder, "--root", named["root"], "--subject", "CN=other", code=1)
    assert "no way leads" in alone("verify", folder, "--root", named["stranger"], code=1)
    assert "--root" in ringfence("verify", folder, code=1)
    assert "--root" in alone("verify", folder, "--subject", "CN=signer", code=2)
    assert "signer's own first" in alone("sign", folder, "--key", key, "--certificate", named["root"], code=2)
    done = ringfence("import", folder, "mine", "--root", named["root"], "--json")
    assert done["origin"]["signed_by"]
    assert "no way leads" in ringfence("import", folder, "other", "--root", named["stranger"], code=1)


def test_one_more_signature_for_readers_elsewhere(alone, folder, tmp_path):
    pytest.importorskip("blake3", reason="BLAKE3 is not installed (ringfence[models])")
    key, public, other = tmp_path / "key.pem", tmp_path / "pub.pem", tmp_path / "blake3.sig"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key.write_bytes(signing_key().key.private_bytes(*form))
    key.chmod(0o600)
    public.write_text(signing_key().public.pem)
    assert "--signature FILE" in alone("sign", folder, "--key", key, "--hash", "blake3", code=2)
    assert "not 'md5'" in alone("sign", folder, "--key", key, "--hash", "md5", "--signature", other, code=2)
    alone("sign", folder, "--key", key, "--hash", "blake3", "--signature", other)
    assert alone("verify", folder, "--key", public, "--signature", other, "--json")["method"] == "blake3 of files"
    assert "together" in alone("sign", folder, "--pkcs11", tmp_path / "x.so", code=2)


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
