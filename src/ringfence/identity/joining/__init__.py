"""Joiners, movers, leavers: a directory's file proposes, a person confirms."""
