import asyncio
import json

from ringfence.gateway.model import RequestId
from ringfence.gateway.ports import FoundReceipt
from ringfence.kernel.errors import Unavailable
from ringfence.testing.gateway import SECRET, TENANT
from ringfence.testing.gateway_desk import DeskLab, until

RECEIPT = RequestId("req-" + "0" * 32)


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n\r\n".encode()


def code(caller):
    return json.loads(caller.sent.partition(b"\r\n\r\n")[2])["error"]["code"]


def in_lab(test):
    async def run():
        await test(DeskLab(asyncio.get_running_loop()))

    asyncio.run(run())


def test_receipts():
    async def test(lab):
        lab.receipts.kept[TENANT, RECEIPT] = FoundReceipt(b"", 2)
        lab.receipts.kept[TENANT, RequestId("req-" + "1" * 32)] = FoundReceipt(b'{"version": 1}')
        pending, found, missing = lab.caller(), lab.caller(), lab.caller()
        pending.receive(get(f"/v1/receipts/{RECEIPT}"))
        found.receive(get("/v1/receipts/req-" + "1" * 32))
        missing.receive(get("/v1/receipts/req-" + "2" * 32))
        await until(lambda: pending.sent and found.sent and missing.sent)
        assert pending.sent.startswith(b"HTTP/1.1 202")
        assert b"retry-after: 2\r\n" in pending.sent
        assert found.sent.endswith(b'{"version": 1}')
        assert code(missing) == "receipt_not_found"

    in_lab(test)


def test_a_caller_that_leaves_before_its_receipt():
    async def test(lab):
        caller = lab.caller()
        caller.receive(get(f"/v1/receipts/{RECEIPT}"))
        caller.lose()
        await asyncio.sleep(0.05)
        assert caller.sent == b""
        assert len(lab.accesses.lines) == 1

    in_lab(test)


def test_receipts_that_cannot_be_read():
    class Broken:
        def __init__(self, error):
            self.error = error

        def find(self, _tenant, _request):
            raise self.error

    async def test(lab):
        for error, wanted in ((Unavailable("the disk"), "receipt_unavailable"), (ValueError("ours"), "internal")):
            lab.desk.receipts = Broken(error)
            caller = lab.caller()
            caller.receive(get(f"/v1/receipts/{RECEIPT}"))
            await until(lambda caller=caller: caller.sent)
            assert code(caller) == wanted
            assert b"ours" not in caller.sent

    in_lab(test)
