"""A mark that is older than the log: that of a copied home, or of one that was restored beside a newer database."""

from datetime import datetime

from ringfence.kernel.errors import NotFound
from ringfence.ledger import tree
from ringfence.ledger.service import Ledger
from ringfence.signing.ports import Signer


def catch_up(signer: Signer, ledger: Ledger, at: datetime) -> bool:
    """Show the signer how the log went on from its mark; return whether that was needed.

    It signs the newest published head once more: only with the proof that this head continues the mark.
    """
    ledger.publish()
    try:
        head = ledger.published_head().checkpoint
    except NotFound:
        return False
    last = signer.signed_last()
    if last is None or last.size >= head.size:
        return False
    signer.head(head, at, tree.consistency_proof(last.size, head.size, ledger.tree.reader(head.size)))
    return True
