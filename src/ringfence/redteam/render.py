"""The prompt of an attempt and the bytes of its request."""

from ringfence.kernel import digest
from ringfence.kernel.errors import InternalError
from ringfence.redteam import coherence
from ringfence.redteam.canary import NAMED, ask
from ringfence.redteam.model import Attempt, Plan, Protocol, Rendered
from ringfence.redteam.pack import ASK, CANARY, SLOT
from ringfence.redteam.transforms import apply

# For base models, which know no roles.
TEMPLATE = "{system}\n\nUser: {user}\nAssistant:"
STOP = ["\nUser:"]


def rendered(attempt: Attempt) -> Rendered:
    """Return the prompt of an attempt."""
    case = attempt.case
    if case is None:
        return coherence.asked(attempt.question)
    attack = case.attack
    wanted = ask(attack.success.condition, attempt.canary, attack.language)
    named = NAMED.format(left=attempt.canary.left, right=attempt.canary.right)
    text = apply(case.chain, attack.text.replace(ASK, wanted).replace(CANARY, named))
    system = attack.system or (case.carrier.system if case.carrier else "")
    user = case.carrier.user.replace(SLOT, text) if case.carrier else text
    return Rendered(system.replace(CANARY, attempt.canary.whole), user)


def body(prompt: Rendered, plan: Plan) -> bytes:
    """Return the request's body: temperature 0, no streaming."""
    head = {"model": plan.model, "temperature": 0, "max_tokens": plan.max_tokens}
    match plan.protocol:
        case Protocol.CHAT:
            told = [{"role": "system", "content": prompt.system}] if prompt.system else []
            return digest.dumps(head | {"messages": [*told, {"role": "user", "content": prompt.user}]})
        case Protocol.COMPLETIONS:
            text = TEMPLATE.replace("{system}", prompt.system).replace("{user}", prompt.user).lstrip()
            return digest.dumps(head | {"prompt": text, "stop": STOP})
    raise InternalError("a protocol without a body")
