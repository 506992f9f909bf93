"""Why one control stands as it does: its rules in words, its evidence, what it turned to before, what is beside it."""
