"""Bounds on what untrusted files may cost."""

MAX_LINE = 16 * 2**20  # bytes of one line; a field of delimited text is bounded by `csv` itself: 131,072 characters
MAX_COLUMNS = 4096
MAX_DEPTH = 32  # of a JSON document in a line
MAX_FILES = 100_000
MAX_BROKEN = 1000  # broken records of one file, after which the rest is not read
MAX_GROUP = 2**30  # bytes of a Parquet row group or an Arrow batch, as the file itself declares them
