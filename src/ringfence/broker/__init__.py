"""The broker: a process that lives for one release of a key, and believes only what the log has published."""
