"""`python -m kfgn_conformance` is the command `kfgn-check`."""

import sys

from .cli import main

sys.exit(main())
