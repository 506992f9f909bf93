"""Time stamps end to end: the verbs, an authority behind HTTP, and `openssl ts -verify` over what comes out."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ringfence.ledger import trust
from ringfence.testing.anchors import LabAuthority, openssl
from ringfence.testing.program import called


class Stamping(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers["content-length"]))
        answer = self.server.authority.answer(request)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-type", "application/timestamp-reply")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def authority(tmp_path):
    found = LabAuthority.make(tmp_path / "tsa")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stamping)
    server.authority = found  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield found, f"http://127.0.0.1:{server.server_port}/tsa"
    server.shutdown()
    thread.join()
    server.server_close()


def command(given, *arguments):
    done = called(given, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_head_is_stamped_and_openssl_agrees(home_now, authority, tmp_path) -> None:
    lab, url = authority
    given = home_now.environment()
    root = lab.folder / "root.pem"
    refused = called(
        given, "ledger", "timestamp", "add", url, "--certificate", str(lab.folder / "tsa.pem"), "--party", "A"
    )
    assert refused.returncode == 2
    command(given, "ledger", "timestamp", "add", url, "--certificate", str(root), "--party", "Stamps AG")
    document = command(given, "ledger", "timestamp", "now", "-o", str(tmp_path / "checkpoint"))
    assert [(each["authority"], each["party"]) for each in document["stamped"]] == [("CN=Lab stamps", "Stamps AG")]
    assert document["troubles"] == []
    wanted = ("ts", "-verify", "-data", "checkpoint", "-token_in", "-in", "checkpoint.0.tst", "-CAfile", str(root))
    assert openssl(*wanted, folder=tmp_path).returncode == 0
    (tmp_path / "checkpoint").write_text(document["note"].replace("\n", " \n", 1))
    assert openssl(*wanted, folder=tmp_path).returncode != 0
    known = trust.parse((home_now.path / "trust.json").read_bytes())
    assert known.authorities == (lab.trusted("Stamps AG"),)
    (listed,) = command(given, "ledger", "timestamp", "list")["authorities"]
    assert (listed["size"], listed["trouble"]) == (document["size"], "")


def test_a_model_s_signature_is_stamped_and_openssl_agrees(home_now, authority, tmp_path) -> None:
    lab, url = authority
    given, model, stamper = home_now.environment(), tmp_path / "tiny", tmp_path / "stamper.pem"
    model.mkdir()
    (model / "config.json").write_text("{}")
    stamper.write_bytes((lab.folder / "tsa.pem").read_bytes() + (lab.folder / "root.pem").read_bytes())
    sign, verify = ("model", "sign", str(model)), ("model", "verify", str(model))
    stranger = called(given, *sign, "--timestamp", url, "--stamper", str(lab.folder / "root.pem"))
    assert (stranger.returncode, "does not verify" in stranger.stderr) == (1, True)
    nobody = called(given, *sign, "--timestamp", "http://127.0.0.1:1/tsa", "--stamper", str(stamper))
    assert nobody.returncode == 4
    assert not (model / "model.sig").exists()  # no signature without the stamp that was asked for
    command(given, *sign, "--timestamp", url, "--stamper", str(stamper))
    seen = command(given, *verify, "--stamper", str(stamper))
    assert (seen["stamped"], seen["stamped_by"]) == (True, "CN=Lab stamps")
    assert command(given, *verify)["stamped"] is False  # nobody is believed about time who is not named
    bundle = json.loads((model / "model.sig").read_bytes())
    token = bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"][0]["signedTimestamp"]
    (tmp_path / "answer").write_bytes(base64.b64decode(token))
    (tmp_path / "sig").write_bytes(base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"]))
    wanted = ("ts", "-verify", "-data", "sig", "-in", "answer", "-CAfile", str(lab.folder / "root.pem"))
    assert openssl(*wanted, folder=tmp_path).returncode == 0


def test_an_authority_that_is_down_delays_nothing_and_is_shown(home_now, authority) -> None:
    lab, _ = authority
    given, nobody = home_now.environment(), "http://127.0.0.1:1/tsa"
    options = ("--certificate", str(lab.folder / "root.pem"), "--party", "operator")
    command(given, "ledger", "timestamp", "add", nobody, *options)
    document = command(given, "ledger", "timestamp", "now")
    assert document["stamped"] == []
    assert document["troubles"]
    assert called(given, "record", "log.heartbeat").returncode == 0
