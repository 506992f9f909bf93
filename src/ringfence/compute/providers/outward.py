"""Probe the cut of a machine of one's own: from inside over SSH, and from here beside SSH.

What could not be tried says why. From inside, the machine itself says what came of it; what arrives here, and what
answers here, we see.
"""

import socket
from concurrent.futures import ThreadPoolExecutor

from ringfence.compute.model import ProbeResult
from ringfence.compute.providers import guest_scripts
from ringfence.compute.providers.remote import Remote
from ringfence.kernel.errors import RingfenceError

SECONDS = 10.0
INWARD_SECONDS = 2.0
INWARD_PORT = 9  # discard: a machine that is open answers, be it by a refusal
BLOCKED, OPEN, ANSWERS = "blocked", "open", "answers"
NOT_TRIED = {
    "peer-to-node": "no second machine of ours is there to try it from",
    "established": "no connection of anybody else is ours to try",
}
NO_WAY = ("unreachable", "no route", "cannot assign", "not supported", "invalid argument")


def probe(remote: Remote, host: str) -> tuple[ProbeResult, ...]:
    """Try every path that can be tried."""
    with socket.create_server(("", 0)) as listener, ThreadPoolExecutor(2) as pool:
        heard = pool.submit(_heard, listener)
        inward = pool.submit(_inward, host)
        said, because = _said(remote, listener.getsockname()[1])
        with socket.create_connection(("127.0.0.1", listener.getsockname()[1])):
            pass  # ends the wait
        arrived, came_in = heard.result(), inward.result()
    if because:
        return _nothing(because)
    if arrived:
        said[guest_scripts.CONTROLLER] = OPEN
    outward = [judged(path, said.get(path, "")) for path in (*guest_scripts.PATHS, guest_scripts.CONTROLLER)]
    return (_result("controller-to-node", came_in), *outward, *_untried(NOT_TRIED), _forensic(ANSWERS))


def _said(remote: Remote, port: int) -> tuple[dict[str, str], str]:
    try:
        printed = remote.run(guest_scripts.BASH, said=guest_scripts.probe(port), seconds=SECONDS)
    except RingfenceError as error:
        return {}, str(error)
    return dict(line.split(" ", 1) for line in printed.splitlines() if " " in line), ""


def _heard(listener: socket.socket) -> bool:
    """Return whether anybody but ourselves came in before we ourselves did."""
    listener.settimeout(SECONDS + 2)
    try:
        connection, (peer, *_) = listener.accept()
        connection.close()
        return bool(peer != "127.0.0.1")
    except OSError:
        return False


def _inward(host: str) -> str:
    try:
        with socket.create_connection((host, INWARD_PORT), timeout=INWARD_SECONDS):
            return OPEN
    except ConnectionRefusedError:
        return OPEN
    except TimeoutError:
        return BLOCKED
    except OSError as error:
        return f"not-tried: {error.strerror or error}"


def judged(path: str, said: str) -> ProbeResult:
    """Return what the machine's own words about a path amount to."""
    text = said.lower()
    if said == OPEN or "refused" in text:  # a refusal is an answer
        return _result(path, OPEN)
    if "not permitted" in text or text == guest_scripts.SILENCE:
        return _result(path, BLOCKED)
    why = "the machine has no way there" if any(word in text for word in NO_WAY) else "there is nothing to try it with"
    return _result(path, f"not-tried: {why}")


def _result(path: str, observed: str) -> ProbeResult:
    return ProbeResult(path, BLOCKED, observed, ok=observed == BLOCKED)


def _forensic(observed: str) -> ProbeResult:
    return ProbeResult("forensic", ANSWERS, observed, ok=observed == ANSWERS)


def _untried(reasons: dict[str, str]) -> tuple[ProbeResult, ...]:
    return tuple(_result(path, f"not-tried: {why}") for path, why in reasons.items())


def _nothing(because: str) -> tuple[ProbeResult, ...]:
    """A machine that does not answer by SSH proves nothing by its silence elsewhere."""
    paths = ("controller-to-node", *guest_scripts.PATHS, guest_scripts.CONTROLLER, *NOT_TRIED)
    return (*_untried(dict.fromkeys(paths, f"no answer by SSH: {because}"[:150])), _forensic(BLOCKED))
