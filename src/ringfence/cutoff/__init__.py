"""From a log line to an isolated node and an early warning: the wires between compute, soc and incidents."""
