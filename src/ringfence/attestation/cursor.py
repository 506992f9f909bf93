"""Reading of untrusted bytes, field by field: nothing is read past the end, and nothing is left over unseen."""

from ringfence.kernel.errors import MalformedInput


class Cursor:
    """A place in bytes that somebody sent; every read beyond the end raises `MalformedInput`."""

    def __init__(self, data: bytes, what: str) -> None:
        self.data = data
        self.what = what
        self.at = 0

    @property
    def left(self) -> int:
        """Return how many bytes were not read yet."""
        return len(self.data) - self.at

    def take(self, size: int, name: str) -> bytes:
        """Return the next `size` bytes."""
        if not 0 <= size <= self.left:
            raise MalformedInput(f"{self.what}: {name} needs {size} bytes at byte {self.at}, and {self.left} are left")
        taken = self.data[self.at : self.at + size]
        self.at += size
        return taken

    def big(self, size: int, name: str) -> int:
        """Return a number whose first byte is the highest."""
        return int.from_bytes(self.take(size, name))

    def little(self, size: int, name: str) -> int:
        """Return a number whose first byte is the lowest."""
        return int.from_bytes(self.take(size, name), "little")

    def sized(self, limit: int, name: str, *, width: int = 2) -> bytes:
        """Return bytes that stand after their length, highest byte first: a TPM2B of at most `limit` bytes."""
        size = self.big(width, f"the length of {name}")
        if size > limit:
            raise MalformedInput(f"{self.what}: {name} has {size} bytes; the limit is {limit}")
        return self.take(size, name)

    def zeros(self, size: int, name: str) -> None:
        """Read `size` bytes that have to be zero."""
        if any(self.take(size, name)):
            raise MalformedInput(f"{self.what}: {name} is not zero")

    def end(self) -> None:
        """Raise `MalformedInput` where bytes are left."""
        if self.left:
            raise MalformedInput(f"{self.what}: {self.left} bytes stand after its end")
