"""What the tour brings along for a newcomer to look at."""
