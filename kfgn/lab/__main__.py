"""`python -m kfgn.lab` is `kfgn`."""

import sys

from kfgn.lab.cli import main

if __name__ == "__main__":
    sys.exit(main())
