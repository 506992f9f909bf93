"""From a checked policy to the answers of the form by which it is adopted; what only a person knows stays open."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.kernel.errors import UsageError
from ringfence.obligations.policies.checking import topics
from ringfence.obligations.policies.model import Policy, Standing


def claims(policy: Policy, found: Sequence[Standing]) -> Mapping[str, Any]:
    """Return what the text itself answers; each sentence that is not true now is a departure."""
    return {
        "policy": policy.header["policy"],
        "version": policy.header["version"],
        "approvedOn": policy.header["approved-on"],
        "approvedBy": policy.header["approved-by"],
        "parts": list(policy.parts),
        "topicPolicies": list(topics(policy)),
        "placeholders": 0,
        "departures": sum(not one.holds for one in found),
        "nextReview": policy.header["next-review"],
        "observes": list(policy.observes),
    }


def joined(stated: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return all answers; a person may find more departures than the text shows, never fewer, and change nothing else.

    Raises:
        UsageError: an answer differs from what the text says.
    """
    for name in stated.keys() & answers.keys() - {"departures"}:
        if answers[name] != stated[name]:
            raise UsageError(f"{name} is what the text says, {stated[name]}; change the text")
    more = answers.get("departures", 0)
    departures = max(stated["departures"], more if type(more) is int else 0)
    return dict(stated) | dict(answers) | {"departures": departures}
