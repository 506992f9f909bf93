"""The evidence ledger: an RFC 6962 log of signed statements that a stranger can check offline."""
