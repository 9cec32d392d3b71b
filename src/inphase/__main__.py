"""`python -m inphase`."""

import sys

from inphase.cli import main

if __name__ == "__main__":
    sys.exit(main())
