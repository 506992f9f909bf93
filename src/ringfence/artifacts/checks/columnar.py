"""Parquet and Arrow files, through pyarrow where it is installed, a batch at a time."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from ringfence.artifacts.checks.delimited import check_columns
from ringfence.artifacts.checks.jsonlines import cell, flat
from ringfence.artifacts.checks.limits import MAX_GROUP
from ringfence.artifacts.checks.model import Record, Value
from ringfence.kernel.errors import MalformedInput, Unavailable

BATCH = 1024


def parquet(stream: BinaryIO) -> Iterator[Record]:
    """Yield the rows of a Parquet file; raise `MalformedInput` where it is none, or a row group is too large."""
    arrow = _arrow()
    import pyarrow.parquet

    with _translated(arrow):
        file = pyarrow.parquet.ParquetFile(stream)
        check_columns(list(file.schema_arrow.names))
        groups = [file.metadata.row_group(number).total_byte_size for number in range(file.metadata.num_row_groups)]
        if max(groups, default=0) > MAX_GROUP:
            raise MalformedInput(f"a row group declares more than {MAX_GROUP} bytes; write smaller ones")
        yield from _rows(file.iter_batches(batch_size=BATCH))


def arrow(stream: BinaryIO) -> Iterator[Record]:
    """Yield the rows of an Arrow file or stream (also Feather version 2)."""
    library = _arrow()
    import pyarrow.ipc

    with _translated(library):
        if stream.read(6) == b"ARROW1":
            stream.seek(0)
            file = pyarrow.ipc.open_file(stream)
            check_columns(list(file.schema.names))
            batches = (file.get_batch(number) for number in range(file.num_record_batches))
            yield from _rows(batches)
        else:
            stream.seek(0)
            with pyarrow.ipc.open_stream(stream) as reader:
                check_columns(list(reader.schema.names))
                yield from _rows(reader)


def _rows(batches: Any) -> Iterator[Record]:
    number = 0
    for batch in batches:
        if batch.nbytes > MAX_GROUP:
            raise MalformedInput(f"a batch has more than {MAX_GROUP} bytes; write smaller ones")
        nested = frozenset(field.name for field in batch.schema if str(field.type).startswith("struct<"))
        batch.validate(full=True)  # offsets of a hostile file may lead outside it, and pyarrow would follow them
        for part in range(0, batch.num_rows, BATCH):
            for document in batch.slice(part, BATCH).to_pylist():
                number += 1
                yield _record(number, document, nested)


def _record(number: int, document: dict[str, Any], nested: frozenset[str]) -> Record:
    """Return a row; a nested column that is missing is left out, since its name is that of none of its parts."""
    try:
        if nested:
            kept = {name: value for name, value in document.items() if value is not None or name not in nested}
            return Record(number, flat(kept))
        cells: dict[str, Value] = {name: cell(value) for name, value in document.items()}
    except MalformedInput as error:
        return Record(number, {}, str(error))
    return Record(number, cells)


def _arrow() -> Any:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise Unavailable(
            "Parquet and Arrow files are read with pyarrow, which is not installed: install pyarrow"
        ) from error
    return pa


class _translated:  # noqa: N801 - used like a function
    """Turn what pyarrow says about a file into our family."""

    def __init__(self, library: Any) -> None:
        self._errors = (library.ArrowException, OSError, EOFError, UnicodeDecodeError, OverflowError)

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None and isinstance(error, self._errors):
            raise MalformedInput(f"pyarrow cannot read it: {str(error)[:200]}") from error
