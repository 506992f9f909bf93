"""What only the top of the house knows: how the app is opened in this process, and how a verb is run."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ringfence.frontends.loading import loaded
from ringfence.kernel.errors import InternalError

Factory = Callable[[Any], AbstractContextManager[Any]]
Runner = Callable[[Sequence[str]], None]
_factories: list[Factory] = []
_runners: list[Runner] = []


def serve_with(factory: Factory) -> None:
    """Name another factory than the server's; the last one named counts."""
    _factories[:] = [factory]


def opened(settings: Any) -> AbstractContextManager[Any]:
    """Open the app that `settings` name."""
    # By name: what stands below the server must not import it, and a data loader has no command line to say it.
    factory: Factory = _factories[0] if _factories else loaded("ringfence.server").in_process
    return factory(settings)


def run_with(runner: Runner) -> None:
    """Name how a verb is run; the last one named counts."""
    _runners[:] = [runner]


def run_verb(arguments: Sequence[str]) -> None:
    """Run a verb as the command line would; it ends by `SystemExit`."""
    if not _runners:
        raise InternalError("nobody said how a verb is run in this process")
    _runners[0](arguments)
