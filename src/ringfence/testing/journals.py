"""A journal over files, used and closed again; and what its closed segments hold, read back as verifiers do."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ringfence.gateway import records, segment
from ringfence.gateway.hotpath.journal import FileJournal
from ringfence.gateway.model import RequestId
from ringfence.gateway.records import Record
from ringfence.testing.receipts import TENANT, closer, opened, signer


def used(folder: Path, work: Callable[[FileJournal], Awaitable[None]], **options: Any) -> None:
    """Open a journal in an event loop of its own, let `work` use it, and close it."""

    async def use() -> None:
        journal = opened(folder, **options)
        try:
            await work(journal)
        finally:
            await asyncio.to_thread(journal.close)

    asyncio.run(use())


def closed(folder: Path) -> list[list[Record]]:
    """Return the records of every closed segment in their order, each segment's root checked."""
    files, found = closer(folder).files, []
    for number in range(1, files.last(TENANT) + 1):
        leaves = files.leaves(TENANT, number)
        closing = segment.closing_of(files.envelope(TENANT, number), signer().public_key)
        assert closing.root.value == segment.root_of([segment.leaf_hash(leaf) for leaf in leaves])
        found.append([records.parse(leaf) for leaf in leaves])
    return found


def requests(segments: list[list[Record]]) -> list[RequestId]:
    """Return the requests of segments in their order."""
    return [record.admitted.request for leaves in segments for record in leaves]
