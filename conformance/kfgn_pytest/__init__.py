"""Pytest plug-in that tests an implementation in its own continuous integration.

    pytest --pyargs kfgn_conformance --kfgn-adapter=my_package.my_module:Mine

Each quantity that the implementation offers has a test in each dtype. One more test in each dtype repeats the
quantities in different orders. Every run of pytest loads this module if kfgn is installed, so the module imports only
pytest. The tests are in `kfgn_conformance/test_implementation.py`, which imports the kit only if `--kfgn-adapter` is
given.
"""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plug-in."""
    group = parser.getgroup("kfgn", "conformance to the reference of kfgn")
    group.addoption("--kfgn-adapter", metavar="MODULE:NAME", help="Compare this implementation with the reference.")
    group.addoption(
        "--kfgn-dtype",
        choices=("float32", "float64"),
        help="Test in this dtype only, instead of in float32 and in float64.",
    )
    group.addoption(
        "--kfgn-expected",
        metavar="FILE",
        help="Read expected failures from this TOML file, as kfgn-check --expected does.",
    )
    group.addoption(
        "--kfgn-limit",
        metavar="S",
        type=float,
        default=60.0,
        help="Set the time limit for each answer in seconds, 60 by default.",
    )
    group.addoption(
        "--kfgn-examples",
        metavar="N",
        type=int,
        default=15,
        help="Test also on this number of random problems, 15 by default, and on a third as many with shared weights.",
    )
