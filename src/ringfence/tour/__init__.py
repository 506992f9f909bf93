"""The tour: what works, shown on real data with the commands that anybody can type."""
