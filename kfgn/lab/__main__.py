"""The command `kfgn`, as `python -m kfgn.lab`."""

import sys

from kfgn.lab.cli import main

if __name__ == "__main__":
    sys.exit(main())
