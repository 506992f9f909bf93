"""The TPM 2.0 commands that attestation needs, byte by byte (TCG TPM 2.0 Library, parts 2 and 3).

tpm2-tools would bring fifteen megabytes into a guest for twelve commands; these are written and read here, over
anything that carries one command and gives its answer: a device of the guest, or the socket of a software TPM. Every
answer is parsed strictly: a TPM that is not ours is not trusted either.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ringfence.kernel.errors import MalformedInput, Unavailable

Transact = Callable[[bytes], bytes]  # one command -> its answer

LARGEST = 4096  # bytes of a command or of an answer
NO_SESSIONS, SESSIONS = 0x8001, 0x8002
STARTUP, SHUTDOWN, CLEAR = 0x144, 0x145, 0
CREATE_PRIMARY, PCR_READ, QUOTE, GET_CAPABILITY, FLUSH_CONTEXT = 0x131, 0x17E, 0x158, 0x17A, 0x165
START_AUTH_SESSION, POLICY_SECRET, ACTIVATE_CREDENTIAL, PCR_ALLOCATE = 0x176, 0x151, 0x147, 0x12B
ENDORSEMENT, PLATFORM, NULL_HANDLE, PASSWORD = 0x4000000B, 0x4000000C, 0x40000007, 0x40000009
SHA1, SHA256, SHA384, SHA512, NULL = 0x0004, 0x000B, 0x000C, 0x000D, 0x0010
POLICY = 0x01
PROPERTIES, MANUFACTURER, FIRMWARE = 6, 0x105, 0x10B
AGAIN, TRIES = frozenset({0x908, 0x90A, 0x922}), 100  # yielded, testing itself, retry: nothing was done yet
PCRS = 24
AT_ONCE = 8  # PCR values in one answer

# Password authorisation with an empty password, as every hierarchy of a fresh TPM has it.
_EMPTY = struct.pack(">IHBH", PASSWORD, 0, 0, 0)
_SHA256_SIZE = 32

# PolicySecret of the endorsement hierarchy: TCG EK Credential Profile 2.5, B.3.
_EK_POLICY = bytes.fromhex("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa")
# RSA-2048, template L-1 of that profile: a restricted decryption key that no one may use for anything else.
EK_TEMPLATE = (
    struct.pack(">HHI", 0x0001, SHA256, 0x000300B2)
    + struct.pack(">H", len(_EK_POLICY))
    + _EK_POLICY
    + struct.pack(">HHHHHI", 0x0006, 128, 0x0043, NULL, 2048, 0)
    + struct.pack(">H", 256)
    + bytes(256)
)
# ECDSA on P-256, restricted: it signs what the TPM itself made, and nothing that anybody gives it.
AK_TEMPLATE = struct.pack(">HHIHHHHHHHH", 0x0023, SHA256, 0x00050072, 0, NULL, 0x0018, SHA256, 0x0003, NULL, 0, 0)


class TpmError(Unavailable):
    """A TPM refused a command; `code` is its response code."""

    def __init__(self, command: int, code: int) -> None:
        self.code = code
        super().__init__(f"the TPM refuses command {command:#x} with code {code:#x}")


class Answer:
    """Reads an answer from its beginning to exactly its end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        piece = self._data[self._at : self._at + size]
        if len(piece) != size:
            raise MalformedInput("the TPM's answer breaks off")
        self._at += size
        return piece

    def number(self, size: int) -> int:
        """Return the next integer."""
        return int.from_bytes(self.take(size), "big")

    def sized(self) -> bytes:
        """Return the content of a TPM2B."""
        return self.take(self.number(2))

    def rest(self) -> bytes:
        """Return everything that is left."""
        return self.take(len(self._data) - self._at)

    def end(self) -> None:
        """Raise where anything is left."""
        if self._at != len(self._data):
            raise MalformedInput("the TPM's answer has more than it should")


def sized(data: bytes) -> bytes:
    """Return a TPM2B."""
    return struct.pack(">H", len(data)) + data


def selection(pcrs: Iterable[int], bank: int = SHA256) -> bytes:
    """Return the TPMS_PCR_SELECTION of some registers."""
    bits = bytearray(3)
    for pcr in pcrs:
        if not 0 <= pcr < PCRS:
            raise MalformedInput(f"{pcr} is no PCR: they are numbered 0 to {PCRS - 1}")
        bits[pcr // 8] |= 1 << pcr % 8
    return struct.pack(">HB", bank, len(bits)) + bytes(bits)


@dataclass(frozen=True, slots=True)
class Key:
    """A key that is loaded: its handle, and its TPM2B_PUBLIC."""

    handle: int
    public: bytes


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quote: TPMS_ATTEST and TPMT_SIGNATURE."""

    attest: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Tpm:
    """A TPM 2.0 that answers one command after the other."""

    transact: Transact

    def _ask(self, code: int, handles: Iterable[int], parameters: bytes, *sessions: bytes, answered: int = 0) -> Answer:
        """Send a command; return its parameters' answer, before which `answered` handles stand."""
        area = b"".join(sessions)
        authorised = struct.pack(">I", len(area)) + area if sessions else b""
        body = b"".join(struct.pack(">I", handle) for handle in handles) + authorised + parameters
        tag = SESSIONS if sessions else NO_SESSIONS
        command = struct.pack(">HII", tag, 10 + len(body), code) + body
        raw, kind, size = self._answered(code, command)
        rest = raw.rest()
        if kind != tag or size != 10 + len(rest):
            raise MalformedInput("the TPM's answer has another form than its command asks for")
        if not sessions:
            return Answer(rest)
        head, whole = rest[: 4 * answered], Answer(rest[4 * answered :])
        return Answer(head + whole.take(whole.number(4)))

    def _answered(self, code: int, command: bytes) -> tuple[Answer, int, int]:
        """Return the answer behind its head, with its tag and its size; ask again where the TPM was busy."""
        result = 0
        for _ in range(TRIES):
            raw = Answer(self.transact(command))
            kind, size, result = raw.number(2), raw.number(4), raw.number(4)
            if not result:
                return raw, kind, size
            if result not in AGAIN:
                break
        raise TpmError(code, result)

    # its life

    def startup(self) -> None:
        """Start it after a reset."""
        self._ask(STARTUP, (), struct.pack(">H", CLEAR)).end()

    def shutdown(self) -> None:
        """Prepare it for the loss of power."""
        self._ask(SHUTDOWN, (), struct.pack(">H", CLEAR)).end()

    def allocate(self, bank: int = SHA256) -> None:
        """Have one bank of registers from the next reset on, so that nothing is measured into others."""
        banks = [selection(range(PCRS) if each == bank else (), each) for each in (SHA1, SHA256, SHA384, SHA512)]
        answer = self._ask(PCR_ALLOCATE, (PLATFORM,), struct.pack(">I", len(banks)) + b"".join(banks), _EMPTY)
        if answer.number(1) != 1:
            raise Unavailable("the TPM has no room for its registers")

    def properties(self, first: int, count: int) -> Mapping[int, int]:
        """Return fixed properties from `first` on."""
        answer = self._ask(GET_CAPABILITY, (), struct.pack(">III", PROPERTIES, first, count))
        answer.take(1)
        if answer.number(4) != PROPERTIES:
            raise MalformedInput("the TPM answers with another capability")
        found = {answer.number(4): answer.number(4) for _ in range(answer.number(4))}
        answer.end()
        return found

    # registers

    def pcrs(self, wanted: Iterable[int]) -> dict[int, bytes]:
        """Return registers of the SHA-256 bank."""
        left = sorted(set(wanted))
        found: dict[int, bytes] = {}
        while left:
            asked = left[:AT_ONCE]
            answer = self._ask(PCR_READ, (), struct.pack(">I", 1) + selection(asked))
            answer.take(4)
            if answer.number(4) != 1 or answer.take(6) != selection(asked):
                raise MalformedInput("the TPM has no SHA-256 bank with all of these registers")
            values = [answer.sized() for _ in range(answer.number(4))]
            answer.end()
            if [len(value) for value in values] != [_SHA256_SIZE] * len(asked):
                raise MalformedInput("the TPM's registers are no SHA-256 digests")
            found.update(zip(asked, values, strict=True))
            left = left[AT_ONCE:]
        return found

    # keys

    def endorsement_key(self) -> Key:
        """Load the endorsement key: the same one each time, since it follows from the TPM's own seed."""
        return self._primary(EK_TEMPLATE)

    def attestation_key(self) -> Key:
        """Load the key that signs quotes and nothing else; it follows from the same seed."""
        return self._primary(AK_TEMPLATE)

    def _primary(self, template: bytes) -> Key:
        sensitive, outside, no_pcrs = sized(bytes(4)), sized(b""), bytes(4)
        asked = sensitive + sized(template) + outside + no_pcrs
        answer = self._ask(CREATE_PRIMARY, (ENDORSEMENT,), asked, _EMPTY, answered=1)
        return Key(answer.number(4), sized(answer.sized()))

    def flush(self, handle: int) -> None:
        """Unload a key or a session."""
        self._ask(FLUSH_CONTEXT, (), struct.pack(">I", handle)).end()

    # showing

    def quote(self, key: Key, qualifying: bytes, pcrs: Iterable[int]) -> Quoted:
        """Sign registers together with `qualifying`."""
        asked = sized(qualifying) + struct.pack(">HI", NULL, 1) + selection(pcrs)
        answer = self._ask(QUOTE, (key.handle,), asked, _EMPTY)
        return Quoted(answer.sized(), answer.rest())

    def activate(self, ak: Key, ek: Key, credential: bytes) -> bytes:
        """Give back the secret of a credential that was made for this endorsement key and this attestation key.

        Args:
            ak: the key whose name the credential holds.
            ek: the key that it is encrypted to.
            credential: TPM2B_ID_OBJECT, then TPM2B_ENCRYPTED_SECRET.

        Raises:
            TpmError: it was made for another TPM or another key.
        """
        begun = struct.pack(">II", NULL_HANDLE, NULL_HANDLE)
        asked = sized(bytes(_SHA256_SIZE)) + sized(b"") + struct.pack(">BHH", POLICY, NULL, SHA256)
        session = self._ask(START_AUTH_SESSION, struct.unpack(">II", begun), asked).number(4)
        try:
            nothing = sized(b"") * 3 + bytes(4)
            self._ask(POLICY_SECRET, (ENDORSEMENT, session), nothing, _EMPTY)
            allowed = struct.pack(">IHBH", session, 0, 1, 0)
            answer = self._ask(ACTIVATE_CREDENTIAL, (ak.handle, ek.handle), credential, _EMPTY, allowed)
        finally:
            self.flush(session)
        secret = answer.sized()
        answer.end()
        return secret


def device(path: str) -> Transact:
    """Return what carries commands to a TPM's device file, which stays open."""
    file = open(path, "r+b", buffering=0)  # noqa: SIM115, PTH123 -- for as long as the process lives

    def transact(command: bytes) -> bytes:
        file.write(command)
        return file.read(LARGEST)

    return transact
