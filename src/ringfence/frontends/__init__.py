"""The toolkit of the three front ends: HTTP, pages, terminal; and the one client that the command line uses."""
