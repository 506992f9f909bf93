"""The gateway: `python -I -m ringfence.gateway.hotpath DIR --port N`; `ringfence up` starts it."""

import sys

from ringfence.gateway.hotpath.process import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
