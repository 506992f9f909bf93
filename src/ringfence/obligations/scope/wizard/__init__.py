"""Ask a person what decides on scope, in at most ten questions, and write the organisation file from the answers."""
