import anyio
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from ringfence.workloads.collecting.asgi import MOST, asked


def plain(request):
    return PlainTextResponse(f"{request.url.path} {request.query_params.get('a')} {request.headers['host']}", 203)


def fails(_request):
    raise RuntimeError("a defect")


async def stream(_request):
    async def events():
        yield "id: 7\n\n"
        yield ": still here\n\n"
        await anyio.sleep_forever()

    return StreamingResponse(events(), media_type="text/event-stream; charset=utf-8")


def large(_request):
    return PlainTextResponse("x" * (MOST + 1))


APP = Starlette(routes=[Route(f"/{one.__name__}", one) for one in (plain, fails, stream, large)])


def ask(path, app=APP):
    return anyio.run(asked, app, path)


def test_a_route_is_asked_with_its_query():
    assert ask("/plain?a=b") == (203, b"/plain b 127.0.0.1")
    assert ask("/none")[0] == 404


def test_an_application_that_fails_has_answered_500():
    assert ask("/fails")[0] == 500


async def silent(_scope, _receive, _send):
    raise RuntimeError("before it said anything")


def test_one_that_fails_before_it_says_anything_counts_as_failed():
    assert ask("/", silent) == (500, b"")


@pytest.mark.timeout(20)
def test_a_stream_that_never_ends_is_left_at_its_first_heartbeat():
    assert ask("/stream") == (200, b"id: 7\n\n: still here\n\n")


def test_an_answer_is_kept_to_a_limit():
    assert len(ask("/large")[1]) == MOST
