"""The signer: `python -I -m ringfence.signing HOME --log ORIGIN`; `ringfence up` starts it."""

import sys

from ringfence.signing.process import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
