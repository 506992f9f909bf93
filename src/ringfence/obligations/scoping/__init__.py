"""Sign a scope, show the one in force, and lead to it: by page, by terminal, by API."""
