"""Every route of the real app, read from the app itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one address, and the action that it asks the policies for."""

    method: str
    path: str
    action: str  # empty: open to everybody
    parameters: tuple[str, ...]
    has_body: bool
    module: str  # that answers

    def __str__(self) -> str:
        """Return it as a request line."""
        return f"{self.method} {self.path}"

    def filled(self, values: dict[str, str]) -> str:
        """Return the address with its parameters filled in."""
        return self.path.format(**values)


def routes_of(app: FastAPI) -> list[Route]:
    """Return every route of an app but the vendored assets, those of included routers among them."""
    return [
        Route(
            method,
            prefix + route.path,
            _action(route.dependant),
            tuple(parameter.alias for parameter in route.dependant.path_params),
            route.body_field is not None,
            route.endpoint.__module__,
        )
        for prefix, route in _walk(app.routes, "")
        for method in sorted(route.methods or ())
    ]


def _walk(routes: Any, prefix: str) -> Iterator[tuple[str, APIRoute]]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from _walk(inner.routes, prefix + getattr(route.include_context, "prefix", ""))
        elif isinstance(route, APIRoute):
            yield prefix, route
        elif getattr(route, "path", "") != "/assets":
            message = f"{getattr(route, 'path', route)} is of a kind that cannot ask who is there"
            raise AssertionError(message)


def _action(dependant: Any) -> str:
    waiting, found = [dependant], set()
    while waiting:
        one = waiting.pop()
        found |= {getattr(one.call, "__dict__", {}).get("action")} - {None}
        waiting.extend(one.dependencies)
    assert len(found) <= 1, f"{dependant.path} asks for {found}"
    return str(next(iter(found), ""))
