"""How the judgements over one piece of evidence are put together."""

import hmac
from collections.abc import Callable, Mapping

from ringfence.attestation.model import Appraisal, Binding, Bound, Claim, Expected, Judged, Level, Root
from ringfence.kernel.errors import VerificationFailed

_PROGRAM = "That hardware made it: for all that is shown, the signer is a program, and as strong as whoever runs it."
_NOTHING = Judged(Level.NONE, "nothing was there to judge")


class Verdict:
    """Claims, each of them unjudged at first."""

    def __init__(self) -> None:
        self.claims: dict[Claim, Judged] = dict.fromkeys(Claim, _NOTHING)
        self.software = True  # until a root is reached that vouches for hardware

    def say(self, claim: Claim, level: Level, reason: str) -> None:
        """Judge a claim."""
        self.claims[claim] = Judged(level, reason)

    def is_affirming(self, claim: Claim) -> bool:
        """Return whether a claim is shown so far."""
        return self.claims[claim].level is Level.AFFIRMING

    def decide(self, claim: Claim, check: Callable[[], str]) -> bool:
        """Affirm a claim with the sentence that `check` returns, or contradict it by what it raises."""
        try:
            self.say(claim, Level.AFFIRMING, check())
        except VerificationFailed as error:
            self.say(claim, Level.CONTRAINDICATED, str(error))
        return self.is_affirming(claim)

    def trace(self, find: Callable[[], Root], what: str) -> None:
        """Judge the chain of `what` by the root that `find` returns or does not reach."""

        def check() -> str:
            root = find()
            self.software = root.software
            return f"{root.label} vouches for {what}{', as that of a program' if root.software else ''}"

        self.decide(Claim.CHAIN, check)

    def bind(self, carried: bytes, binding: Bound | None, *, size: int = 0) -> None:
        """Judge freshness and binding by what the device signed along; `size` pads what is expected with zeros."""
        if binding is None:
            for claim in (Claim.FRESH, Claim.BOUND):
                self.say(claim, Level.NONE, "no challenge was given to compare it with")
            return
        wanted = binding.digest.ljust(size, b"\0")
        # Zeros are what a device signs along where nobody challenged it.
        if not any(wanted) or not hmac.compare_digest(carried, wanted):
            for claim in (Claim.FRESH, Claim.BOUND):
                self.say(claim, Level.CONTRAINDICATED, "it answers another challenge: it is old, or for somebody else")
            return
        self.say(Claim.FRESH, Level.AFFIRMING, "it answers this challenge")
        if isinstance(binding, Binding):
            self.say(Claim.BOUND, Level.AFFIRMING, "it was made for this node key, this workload and this dataset")
        else:
            self.say(Claim.BOUND, Level.NONE, "a bare nonce stands for no node key, workload or dataset")

    def finish(
        self,
        expected: Expected,
        *,
        device: str = "",
        platform: str = "",
        measurements: Mapping[str, str] | None = None,
        not_shown: tuple[str, ...] = (),
    ) -> Appraisal:
        """Return the appraisal; what an unsigned document says shows nothing."""
        if not self.is_affirming(Claim.SIGNATURE):
            for claim, judged in self.claims.items():
                if judged.level is Level.AFFIRMING and claim not in {Claim.CHAIN, Claim.COLLATERAL}:
                    self.say(claim, Level.NONE, "its signature does not hold, so that it shows nothing")
        claims = dict(self.claims)
        shown = dict(measurements or {})
        limits = (*not_shown, _PROGRAM) if self.software else not_shown
        return Appraisal(
            expected.family, claims, expected.demands, device, platform, shown, self.software, limits
        )  # fmt: skip
