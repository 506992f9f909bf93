"""`ringfence key rotate kek|move kek`: the key that wraps the keys of sealed datasets."""

from typing import TYPE_CHECKING

from ringfence.frontends.terminal import output, say

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.artifacts.model import Rewrapped
    from ringfence.storage.tokens import TokenPlace

_EVERY = 100  # datasets between two lines about progress


def move_kek(place: "TokenPlace", as_json: bool) -> None:  # noqa: FBT001
    """Put the KEK into a token as it is."""
    from ringfence.artifacts.keyring import LOCATION, changing, check_settled, move_to_token
    from ringfence.installation import open_home
    from ringfence.kernel.errors import NotFound
    from ringfence.settings import Settings

    settings = Settings.from_environment()
    home = open_home(settings.home).path
    path = home / LOCATION
    if not path.exists():
        raise NotFound(f"{path} is missing: it is made when the first dataset is sealed")
    with changing(home):
        check_settled(home)
        kek = move_to_token(path, settings.passphrase(), place.module, place.label, place.pin_file)

    def human(console: "Console") -> None:
        console.print(f"The key {kek} lies in the token {place.label}. What lay in {path} may be in backups still:")
        console.print("`ringfence key rotate kek` makes a new one in the token, of which there is no copy.")
        console.print("State it: ringfence record key.lifecycle")

    output({"moved": "kek", "key": kek, "token": place.label}, human, as_json)


def rotate_kek(as_json: bool) -> None:  # noqa: FBT001
    """Replace the key that wraps dataset keys, and state it."""
    from ringfence.artifacts.statements import rewrapped
    from ringfence.frontends.client import connect
    from ringfence.rekeying import rekey, stated

    with connect() as client:
        client.person  # noqa: B018 -- nothing is begun that could not be stated
        done = rekey(client.home, client.settings.passphrase(), _progress)
        answer = client.state(rewrapped(done), path="/api/v1/datasets/keks")
        stated(client.home)
    document = {
        "old": done.old,
        "new": done.new,
        "custody": done.custody.value,
        "wrapped": done.wrapped,
        "others": done.others,
        "destroyed": done.destroyed,
        "statement": answer["statement"],
    }
    output(document, lambda console: _rotated(console, done), as_json)


def _progress(what: str, number: int, whole: int) -> None:
    """Say where it stands, now and then: a home may hold many datasets."""
    if number % _EVERY == 0 or (number == whole and whole >= _EVERY):
        say(f"{what}: {number} of {whole}")


def _rotated(console: "Console", done: "Rewrapped") -> None:
    console.print(f"{done.new} wraps the keys of {done.wrapped} sealed epochs instead of {done.old}.")
    if done.others:
        console.print(f"{done.others} more have no wrapping by a key of this home, and were left as they are.")
    if done.destroyed:
        console.print("The old key is destroyed here.")
    else:
        console.print(f"The token does not let go of the old key ringfence-kek-{done.old}; it opens nothing here.")
    console.print(
        "Backups and copies of sealed data from before hold the old wrapping: only the old key opens them, and whoever "
        "has both opens them still. Make new backups, destroy the old ones; where somebody may have both, seal anew."
    )
