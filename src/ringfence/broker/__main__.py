"""The broker: `python -I -m ringfence.broker HOME`; whoever releases a key starts it."""

import sys

from ringfence.broker.process import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
