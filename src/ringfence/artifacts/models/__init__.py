"""Models: signed folders, formats read without trusting them, the same bytes verified and loaded."""
