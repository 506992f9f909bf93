"""`python -m ringfence`."""

from ringfence.main import run

run()
