"""Services: programs with a scoped key that expires."""
