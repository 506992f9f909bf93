"""The root key in shares: any k of n make it again, fewer say nothing about it. SLIP-39; docs/specs/keyfile.md.

A share is a text file: format, fingerprint of the root, threshold, and the words. The fingerprint is public; it is
there so that shares of two roots are not mixed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused, UsageError
from ringfence.storage.files import read_private
from ringfence.storage.signer import SEED_SIZE, Ed25519Signer

FORMAT = "urn:ringfence:root-share:v1"
MOST = 16  # what SLIP-39 can number
LONGEST = 4096
_TEXT = re.compile(
    r"format (?P<format>\S+)\nroot (?P<root>sha256:[0-9a-f]{64})\nthreshold (?P<threshold>[1-9][0-9]?)\n"
    r"words (?P<words>[a-z]+( [a-z]+){32})\n"
)


@dataclass(frozen=True, slots=True)
class Share:
    """One share of a root key."""

    root: Digest
    threshold: int
    words: str = field(repr=False)

    def to_text(self) -> str:
        """Print the file of a share, or what is written down by hand."""
        return f"format {FORMAT}\nroot {self.root}\nthreshold {self.threshold}\nwords {self.words}\n"


def split(seed: bytes, *, threshold: int, shares: int) -> tuple[Share, ...]:
    """Split the private seed of a root key.

    Raises:
        UsageError: that many shares cannot be made, or one would be enough.
    """
    from shamir_mnemonic import generate_mnemonics

    if not 2 <= threshold <= shares <= MOST:
        raise UsageError(f"the threshold is 2 or more, and at most the number of shares, which is at most {MOST}")
    signer = Ed25519Signer.from_seed(seed)
    # The seed is 32 random bytes: there is nothing for a slow passphrase function to protect.
    ((*made,),) = generate_mnemonics(1, [(threshold, shares)], seed, iteration_exponent=0)
    return tuple(Share(Digest.of(signer.public_key), threshold, words) for words in made)


def parse(text: str, *, source: str = "") -> Share:
    """Parse the file of a share, or raise `MalformedInput`."""
    found = _TEXT.fullmatch(text) if len(text) <= LONGEST else None
    if found is None or found["format"] != FORMAT:
        raise MalformedInput("not a share of a root key: format, root, threshold and 33 words", source=source)
    return Share(Digest.parse(found["root"]), int(found["threshold"]), found["words"])


def join(shares: Sequence[Share]) -> Ed25519Signer:
    """Make the root key again, in memory.

    Raises:
        Refused: there are too few shares, they are of different roots, or a word is wrong.
    """
    from shamir_mnemonic import MnemonicError, combine_mnemonics

    if len({(share.root, share.threshold) for share in shares}) != 1:
        raise Refused("the shares are of different root keys, or there are none; bring shares that were made together")
    first, words = shares[0], list(dict.fromkeys(share.words for share in shares))
    if len(words) < first.threshold:
        raise Refused(f"{first.threshold} different shares make the root key again; {len(words)} were given")
    enough, more = words[: first.threshold], words[first.threshold :]
    try:
        # As few as are enough are combined, so that those beyond are tried in the place of one of them.
        (seed,) = {combine_mnemonics(enough), *(combine_mnemonics([*enough[1:], one]) for one in more)}
    except (MnemonicError, ValueError) as error:
        raise Refused("these shares do not make a root key: a word is wrong, or one is of another splitting") from error
    signer = Ed25519Signer.from_seed(seed) if len(seed) == SEED_SIZE else None
    if signer is None or Digest.of(signer.public_key) != first.root:
        raise Refused("these shares do not make the root key whose fingerprint stands in them")
    return signer


def read(path: Path) -> Share:
    """Read the file of a share, which nobody but its owner may read."""
    try:
        return parse(read_private(path).decode("ascii"), source=str(path))
    except UnicodeDecodeError as error:
        raise MalformedInput("not a share of a root key: it is no text", source=str(path)) from error


def join_files(paths: Sequence[Path]) -> Ed25519Signer:
    """Make the root key again from files, in memory."""
    return join([read(path) for path in paths])
