"""llama.cpp with its own HTTP server: completions, chat and embeddings as OpenAI has them."""

import socket
from importlib.metadata import version
from typing import Any

from ringfence.workloads.engine.frames import Header

LOOPBACK = "127.0.0.1"
PACKAGE = "xllamacpp"


def settings(header: Header, port: int) -> dict[str, Any]:
    """Return what llama.cpp is told.

    Nothing of one caller is kept for another (no prompt cache), nothing is copied from the sealed file, and its pages
    for people and its tools are off.
    """
    return {
        "model_alias": {header.name},
        "port": port,
        "n_ctx": header.context * header.parallel,
        "n_parallel": header.parallel,
        "n_threads_http": header.parallel + 4,
        "embedding": header.embeddings,
        "cache_prompt": False,
        "cache_ram_mib": 0,
        "warmup": False,
        "no_extra_bufts": True,
        "offline": True,
        "ui": False,
        "endpoint_slots": False,
        "endpoint_props": False,
        "endpoint_metrics": False,
        "verbosity": -1,
        "log_json": False,
        "fit_params": False,
    }


def serve(header: Header, path: str) -> tuple[object, int, str]:
    """Load the model and listen; return what keeps it alive, its port, and the release."""
    import xllamacpp

    told = xllamacpp.CommonParams()
    told.model.path = path
    port = free_port()
    for name, value in settings(header, port).items():
        setattr(told, name, value)
    told.cpuparams.n_threads = told.cpuparams_batch.n_threads = header.threads
    server = xllamacpp.Server(told)
    return server, port, version(PACKAGE)


def free_port() -> int:
    """Return a port of the loopback that nobody has now."""
    with socket.create_server((LOOPBACK, 0)) as probe:
        return int(probe.getsockname()[1])
