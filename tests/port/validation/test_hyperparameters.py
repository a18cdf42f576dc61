"""The messages of the constructors of optimisers for hyperparameters that are refused."""

import re

import pytest

import kfgn

NETWORK = kfgn.Network.dense((3, 5, 4, 2), ("tanh", "softplus"), "bernoulli")


NUMBERS = [
    (lambda: kfgn.GaussNewton("net"), TypeError, "network: expected a kfgn.Network"),
    (
        lambda: kfgn.GaussNewton(NETWORK, None),
        TypeError,
        "curvature: expected KroneckerFactored, EigenvalueCorrected, HessianFree or one of kflr, kfra, kfac, rp, "
        "tkfac, tnt, kfoc, foof, ekfac, hessian_free, got None",
    ),
    (
        lambda: kfgn.GaussNewton(NETWORK, "kfra "),
        ValueError,
        "curvature: expected one of kflr, kfra, kfac, rp, tkfac, tnt, kfoc, foof, ekfac, hessian_free, got 'kfra '",
    ),
    (lambda: kfgn.GaussNewton(NETWORK, eta=-1), ValueError, "eta: expected a finite number of at least 0, got -1"),
    (lambda: kfgn.GaussNewton(NETWORK, eta=True), TypeError, "eta: expected a finite number of at least 0, got True"),
    (
        lambda: kfgn.GaussNewton(NETWORK, tau=1.0),
        TypeError,
        "tau: expected a Damping such as kfgn.Damping(initial=1.0, period=5), got 1.0",
    ),
    (lambda: kfgn.GaussNewton(NETWORK, thresholds=0.75), TypeError, "thresholds: expected a pair of numbers, got 0.75"),
    (
        lambda: kfgn.GaussNewton(NETWORK, thresholds=(0.8, 0.2)),
        ValueError,
        "thresholds: expected a finite number of at least 0.8, got 0.2",
    ),
    (
        lambda: kfgn.GaussNewton(NETWORK, max_step_size=0),
        ValueError,
        "max_step_size: expected a finite number above 0, got 0",
    ),
    (lambda: kfgn.GaussNewton(NETWORK, momentum=2), ValueError, "momentum: expected a number from 0 to 1, got 2"),
    (lambda: kfgn.Damping(1.0, 0), ValueError, "period: expected a positive integer or None, got 0"),
    (lambda: kfgn.Damping(1.0, 2.5), TypeError, "period: expected a positive integer or None, got 2.5"),
    (lambda: kfgn.Damping(1.0, 5, upper=0.5), ValueError, "initial: expected a number from 0 to 0.5, got 1.0"),
    (lambda: kfgn.Damping(1.0, 5, decay=0.0), ValueError, "decay: expected a number above 0 and at most 1, got 0.0"),
    (lambda: kfgn.Damping(float("nan"), 5), ValueError, "initial: expected a number from 0 to 1e+10, got nan"),
    (
        lambda: kfgn.KroneckerFactored("kfaq"),
        ValueError,
        "method: expected one of kflr, kfra, kfac, rp, tkfac, tnt, kfoc, foof, got 'kfaq'",
    ),
    (lambda: kfgn.KroneckerFactored("tkfac", samples=0), ValueError, "samples: expected a positive integer, got 0"),
    (lambda: kfgn.KroneckerFactored("tnt", sharing="reduce"), ValueError, "sharing: expected 'expand' for tnt"),
    (lambda: kfgn.EigenvalueCorrected(samples=0), ValueError, "samples: expected a positive integer, got 0"),
    (lambda: kfgn.EigenvalueCorrected(average=2), ValueError, "average: expected a number from 0 to 1, got 2"),
    (lambda: kfgn.EigenvalueCorrected(refresh=1.5), TypeError, "refresh: expected a positive integer, got 1.5"),
    (lambda: kfgn.EigenvalueCorrected(sharing="sum"), ValueError, "sharing: expected one of expand, reduce, got 'sum'"),
    (
        lambda: kfgn.KroneckerFactored(inversion="L1"),
        ValueError,
        "inversion: expected one of trace, frobenius, spectral, exact, got 'L1'",
    ),
    (lambda: kfgn.KroneckerFactored(samples=0), ValueError, "samples: expected a positive integer, got 0"),
    (lambda: kfgn.KroneckerFactored(refresh=1.5), TypeError, "refresh: expected a positive integer, got 1.5"),
    (lambda: kfgn.HessianFree(blocks=1), TypeError, "blocks: expected True or False, got 1"),
    (
        lambda: kfgn.HessianFree(tolerance=-1.0),
        ValueError,
        "tolerance: expected a finite number of at least 0, got -1.0",
    ),
    (lambda: kfgn.SGD(NETWORK, 0.0), ValueError, "learning_rate: expected a finite number above 0, got 0.0"),
    (
        lambda: kfgn.SGD(NETWORK, 0.1, nesterov=True),
        ValueError,
        "nesterov: expected a momentum above 0 with nesterov=True, got 0",
    ),
    (lambda: kfgn.Adam(NETWORK, halving=0), ValueError, "halving: expected a positive integer or None, got 0"),
    (
        lambda: kfgn.Adam(NETWORK, beta_1=1.5),
        ValueError,
        "beta_1: expected a number of at least 0 and below 1, got 1.5",
    ),
    (
        lambda: kfgn.GaussNewton(kfgn.Network.dense((2, 3), (), "mixture", psd="raise")),
        ValueError,
        "psd: expected 'project' or 'scalar'",
    ),
]


@pytest.mark.parametrize(("make", "error", "message"), NUMBERS)
def test_constants_are_refused(make, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make()
