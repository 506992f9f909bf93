import socket

from ringfence.workloads.engine import llama
from ringfence.workloads.engine.frames import LLAMA, Header

HEADER = Header(LLAMA, "small", 10, "sha256:" + "0a" * 32, context=512, parallel=3)


def test_nothing_of_one_caller_is_kept_for_another_and_nothing_is_served_besides():
    told = llama.settings(HEADER, 8080)
    assert (told["cache_prompt"], told["cache_ram_mib"]) == (False, 0)
    assert not any(told[name] for name in ("ui", "endpoint_slots", "endpoint_props", "endpoint_metrics", "embedding"))
    assert told["offline"]


def test_each_request_has_the_whole_context():
    told = llama.settings(HEADER, 8080)
    assert (told["n_ctx"], told["n_parallel"], told["model_alias"]) == (1536, 3, {"small"})


def test_a_free_port_can_be_listened_on():
    with socket.create_server(("127.0.0.1", llama.free_port())):
        pass
