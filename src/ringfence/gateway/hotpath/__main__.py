"""The gateway: `python -I -m ringfence.gateway.hotpath DIR --port N`; `ringfence up` starts it."""

import gc
import sys

from ringfence.gateway.hotpath.process import main

if __name__ == "__main__":
    # Requests leave no cycles behind: looking for some after every 700 objects cost up to a tenth of the time.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    sys.exit(main(sys.argv[1:]))
