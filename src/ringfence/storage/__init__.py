"""One database, one transaction, one outbox: the only place where state and statements are committed."""
