"""Search, sources and exports: what a reader asks of the log, and where the answer is found."""
