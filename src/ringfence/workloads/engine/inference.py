"""The Open Inference Protocol, version 2 (REST), over one model: what is asked, and what is answered."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote

from ringfence.workloads.engine.tensors import MOST_TENSORS, BadTensor, Slot, Tensor, tensor

SERVER = "ringfence"
PLATFORM = "onnxruntime_onnx"
MODEL_VERSION = "1"
LONGEST_ID = 128


class Runner(Protocol):
    """A loaded model."""

    inputs: Sequence[Slot]
    outputs: Sequence[Slot]

    def run(self, tensors: Sequence[Tensor], outputs: Sequence[Slot]) -> list[dict[str, Any]]:
        """Return the outputs as documents; raise `BadTensor` where the model does not take the inputs together."""
        ...


class Problem(Exception):
    """What is answered instead, as the protocol has it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Served:
    """One model under one name."""

    name: str
    release: str
    runner: Runner

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Return status and document of any request."""
        try:
            return self._route(method, path, body)
        except BadTensor as problem:
            return 400, {"error": str(problem)}
        except Problem as problem:
            return problem.status, {"error": str(problem)}

    def _route(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        parts = [unquote(part) for part in path.partition("?")[0].strip("/").split("/")]
        wanted = "POST" if parts[-1:] == ["infer"] else "GET"
        match parts:
            case ["v2"]:
                found: dict[str, Any] = {"name": SERVER, "version": self.release, "extensions": []}
            case ["v2", "health", "live"]:
                found = {"live": True}
            case ["v2", "health", "ready"]:
                found = {"ready": True}
            case ["v2", "models", name, *rest]:
                return self._model(method, wanted, name, rest, body)
            case _:
                raise Problem(404, "there is no such route")
        _check_method(method, wanted)
        return 200, found

    def _model(self, method: str, wanted: str, name: str, rest: list[str], body: bytes) -> tuple[int, dict[str, Any]]:
        if name != self.name:
            raise Problem(404, f"there is no model {name[:64]!r} here")
        if rest[:1] == ["versions"]:
            if rest[1:2] != [MODEL_VERSION]:
                raise Problem(404, f"the model has the version {MODEL_VERSION}")
            rest = rest[2:]
        if rest not in ([], ["ready"], ["infer"]):
            raise Problem(404, "there is no such route")
        _check_method(method, wanted)
        if rest == ["infer"]:
            return 200, self.infer(body)
        return 200, {"name": self.name, "ready": True} if rest else self.described()

    def described(self) -> dict[str, Any]:
        """Return the model's metadata."""
        return {
            "name": self.name,
            "versions": [MODEL_VERSION],
            "platform": PLATFORM,
            "inputs": [slot.described() for slot in self.runner.inputs],
            "outputs": [slot.described() for slot in self.runner.outputs],
        }

    def infer(self, body: bytes) -> dict[str, Any]:
        """Run the model once."""
        asked = _document(body)
        inputs = asked.get("inputs")
        if not isinstance(inputs, list) or len(inputs) > MOST_TENSORS:
            raise Problem(400, f"inputs is a list of at most {MOST_TENSORS} tensors")
        tensors = [tensor(one, self.runner.inputs) for one in inputs]
        names = [one.name for one in tensors]
        if sorted(names) != sorted(slot.name for slot in self.runner.inputs):
            raise Problem(400, "each input of the model is given once")
        outputs = _outputs(asked.get("outputs"), self.runner.outputs)
        try:
            found = self.runner.run(tensors, outputs)
        except BadTensor:
            raise
        except Exception as error:
            raise Problem(500, "the model failed on this input") from error
        named = {"id": asked["id"]} if "id" in asked else {}
        return {"model_name": self.name, "model_version": MODEL_VERSION, **named, "outputs": found}


def _check_method(method: str, wanted: str) -> None:
    if method != wanted:
        raise Problem(405, f"this route takes {wanted}")


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "the body is not strict JSON in UTF-8") from error
    if not isinstance(found, dict) or not set(found) <= {"id", "inputs", "outputs", "parameters"}:
        raise Problem(400, "a request has id, inputs and outputs")
    if found.get("parameters"):
        raise Problem(400, "no parameters are understood")
    known = found.get("id", "")
    if not isinstance(known, str) or len(known) > LONGEST_ID or not known.isprintable():
        raise Problem(400, f"id is a text of at most {LONGEST_ID} printable characters")
    return found


def _outputs(asked: object, slots: Sequence[Slot]) -> list[Slot]:
    """Return the outputs that are wanted, in the order asked for; nothing asked for means all."""
    if asked is None or asked == []:
        return list(slots)
    if not isinstance(asked, list) or len(asked) > MOST_TENSORS:
        raise Problem(400, f"outputs is a list of at most {MOST_TENSORS} names")
    known: Mapping[str, Slot] = {slot.name: slot for slot in slots}
    names = [one.get("name") if isinstance(one, dict) and set(one) <= {"name", "parameters"} else None for one in asked]
    if any(not isinstance(name, str) or name not in known for name in names) or len(set(names)) != len(names):
        raise Problem(400, f"outputs names some of {', '.join(known)}, each once")
    return [known[str(name)] for name in names]


def _refuse(word: str) -> None:
    raise Problem(400, f"{word} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Problem(400, "a key stands there twice")
    return found
