"""Where a thing comes from and what became of it: a fold over statements; gaps and cycles are named, never closed."""
