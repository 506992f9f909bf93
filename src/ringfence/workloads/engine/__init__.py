"""The program that serves a model on a node. It is shipped there as it is: standard library and the engine only."""
