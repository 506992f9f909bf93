"""Join the pages of the practice with what they start: the way into it, or, in a practice itself, its attacks."""

from collections.abc import Iterator
from typing import Protocol

from fastapi import APIRouter

from ringfence.cutoff.wires import CutOff
from ringfence.frontends.page import Pages
from ringfence.frontends.practice import Beside, BesideOf
from ringfence.identity.acting.enrolling import Enrolling
from ringfence.identity.acting.service import ActDesk
from ringfence.identity.service import Identity
from ringfence.installation import Home
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.workloads.console.jobs import Jobs
from ringfence.workloads.practice import api, console, ground
from ringfence.workloads.practice.api import RUN
from ringfence.workloads.practice.console import AttackPages, GroundPages
from ringfence.workloads.practice.keeper import Keeper
from ringfence.workloads.practice.letting import Letting
from ringfence.workloads.practice.playing import Player


class Desks(Protocol):
    """Where acts are signed."""

    @property
    def desk(self) -> ActDesk: ...
    @property
    def enrolling(self) -> Enrolling: ...


class Parts(Protocol):
    """What the practice needs of the services of an installation."""

    @property
    def home(self) -> Home: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def cutoff(self) -> CutOff: ...
    @property
    def acting(self) -> Desks: ...
    @property
    def practice(self) -> Keeper: ...


def is_ground(parts: Parts) -> bool:
    """Tell whether an installation is a practice itself."""
    return ground.is_ground(parts.home.log, parts.identity.people.tenants())


def beside(parts: Parts) -> BesideOf:
    """Return what tells pages how the practice stands beside the own organisation."""
    if is_ground(parts):
        return lambda _: None

    def of(caller: Person) -> Beside:
        one = parts.practice.standing()
        may = parts.identity.policies.allows(caller, RUN)
        return Beside(caller.tenant, parts.home.log, one.made, one.runs, one.because, may)

    return of


def routers(parts: Parts, pages: Pages) -> Iterator[APIRouter]:
    """Yield the pages."""
    if not is_ground(parts):
        yield console.router(GroundPages(parts.practice, pages, beside(parts)))
        return
    acting = parts.acting
    letting = Letting(parts.home.path, acting.enrolling, acting.desk.issuing)
    player, cut = Player(parts.home.path), parts.cutoff
    signers, allows = acting.desk.signers, parts.identity.policies.allows
    yield console.attacks(
        AttackPages(player, cut.compute, cut.incidents, letting, signers, Jobs(parts.clock), pages, allows)
    )


def routes(parts: Parts) -> Iterator[APIRouter]:
    """Yield the routes of the API."""
    if not is_ground(parts):
        yield api.router(parts.practice)
