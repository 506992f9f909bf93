"""Destroy the keys that announced erasures speak of, where whoever announced them was cut off: a turn of `up`.

It states nothing: no service speaks for a person. What was destroyed stays listed in the home, and the next
`ringfence dataset` of an operator states it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ringfence.artifacts.model import Sealed
from ringfence.artifacts.ports import Vaults, Wrappings
from ringfence.artifacts.service import Artifacts
from ringfence.kernel.errors import NotFound, RingfenceError
from ringfence.kernel.identifier import Tenant


@dataclass(frozen=True, slots=True)
class Finishing:
    """One turn at a time; every turn finds again what is not stated yet, and changes nothing of it twice."""

    artifacts: Artifacts
    vaults: Vaults
    wrappings: Wrappings
    tenants: Callable[[], Iterable[Tenant]]

    def __call__(self) -> int:
        """Look at every epoch once; return how many keys are destroyed and not stated. One that fails stops no other.

        Raises:
            RingfenceError: the first that could not be destroyed, after all the others.
        """
        done, problems = 0, []
        for tenant in self.tenants():
            for dataset in self.artifacts.epochs(tenant):
                try:
                    done += self._destroyed(dataset)
                except RingfenceError as error:
                    problems.append(error)
        if problems:
            raise problems[0]
        return done

    def _destroyed(self, dataset: Sealed) -> bool:
        if dataset.erasure is None or dataset.erasure.done or dataset.erasure.held:
            return False
        try:
            with self.vaults.vault(dataset.dataset, dataset.epoch):
                self.artifacts.publication.published(dataset.erasure.requested)
                self.wrappings.destroy(dataset)
        except NotFound:
            return False  # it lies in another home
        return True
