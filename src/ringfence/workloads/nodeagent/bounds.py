"""How large a message to the agent may be, and how long it may take; known on both sides of its socket."""

LARGEST = 64 * 2**20  # bytes of all files of a sealed dataset together
LONGEST_LINE = 256 * 2**10
SECONDS = 20.0  # for one message to come and its answer to go
