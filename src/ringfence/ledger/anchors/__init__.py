"""What others say about the heads of the log: cosignatures, time stamps, and what both come to."""
