"""The pytest plug-in: a test for each quantity that an implementation offers, and one in other orders, in its own CI.

    pytest --pyargs kfgn_conformance --kfgn-adapter=my_package.my_module:Mine

Every pytest of an environment with kfgn in it loads this module, so it imports pytest alone; the tests are
`kfgn_conformance/test_implementation.py`, and only with the option do they import the kit.
"""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plug-in."""
    group = parser.getgroup("kfgn", "conformance to the reference of kfgn")
    group.addoption("--kfgn-adapter", metavar="MODULE:NAME", help="hold this implementation against the reference")
    group.addoption("--kfgn-dtype", choices=("float32", "float64"), help="only in it (default: in both)")
    group.addoption("--kfgn-expected", metavar="FILE", help="failures that are known, as for kfgn-check --expected")
    group.addoption("--kfgn-limit", metavar="S", type=float, default=60.0, help="seconds for an answer (default: 60)")
    group.addoption("--kfgn-examples", metavar="N", type=int, default=15, help="number of drawn problems (default: 15)")
