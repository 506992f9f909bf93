"""What touches the network and the clock: connections, workers, the dummies' server, one run from start to end."""
