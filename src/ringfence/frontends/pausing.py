"""Build much at once without Python's collector of circles, which would walk through all of it again and again.

What is built holds no circles of objects, so that nothing is left lying for its sake; what other threads leave lying
meanwhile is found afterwards.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_turn = Lock()
_inside = {"count": 0, "was": False}


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the collector until everybody who asked for that is done; then it is as it was before."""
    with _turn:
        if not _inside["count"]:
            _inside["was"] = gc.isenabled()
            gc.disable()
        _inside["count"] += 1
    try:
        yield
    finally:
        with _turn:
            _inside["count"] -= 1
            if not _inside["count"] and _inside["was"]:
                gc.enable()
