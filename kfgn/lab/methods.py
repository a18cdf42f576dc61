"""The training methods by name."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .._network.network import Network
from .._optimisers import SGD, Adam, Damping, EigenvalueCorrected, GaussNewton, HessianFree, KroneckerFactored
from .._optimisers.settings import Curvature
from .._optimisers.state_checks import check_representable
from .._validation.scalars import checked_name
from .arguments import with_usage_error
from .errors import UsageError
from .options import METHOD_OPTIONS, Options

Optimiser: TypeAlias = GaussNewton | SGD | Adam

MOMENTUM = 0.9
"""The momentum of the methods `momentum` and `nesterov`. The paper does not give a value."""

FACTOR_OPTIONS = ("samples", "average", "inversion", "refresh")
DAMPING_OPTIONS = ("tau", "gamma")
RATE_OPTIONS = ("learning_rate", "halving")


class Method(NamedTuple):
    """A training method.

    make:        a function that takes a network and the given options, and returns the optimiser
    options:     the names of the options of the method
    required:    the names of the options without a default
    first_order: True for a method that uses the gradient alone
    """

    make: Callable[[Network, dict[str, Any]], Optimiser]
    options: tuple[str, ...]
    required: tuple[str, ...] = ()
    first_order: bool = False


def _gauss_newton(network: Network, curvature: Curvature, given: dict[str, Any]) -> GaussNewton:
    defaults = {"tau": curvature.default_tau, "gamma": curvature.default_gamma}
    dampings = {name: _with_initial(name, given[name], defaults[name]) for name in DAMPING_OPTIONS if name in given}
    return GaussNewton(network, curvature, **{**given, **dampings})


def _with_initial(name: str, initial: float, default: Damping) -> Damping:
    """Return a copy of the damping `default` with the initial value `initial`.

    A lower bound above `initial` is reduced to `initial`.
    """
    try:
        return replace(default, initial=initial, lower=max(0.0, min(default.lower, initial)))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from error


def _kronecker_factored(name: str, *without: str) -> Method:
    return _averaged(partial(KroneckerFactored, name), *without)


def _averaged(curvature: Callable[..., Curvature], *without: str) -> Method:
    """The method of a curvature that averages factors. `without` has options that the curvature ignores or lacks."""

    def make(network: Network, given: dict[str, Any]) -> Optimiser:
        factors = {option: given[option] for option in FACTOR_OPTIONS if option in given}
        others = {option: value for option, value in given.items() if option not in factors}
        return _gauss_newton(network, curvature(**factors), others)

    return Method(make, tuple(o for o in (*FACTOR_OPTIONS, *DAMPING_OPTIONS, "eta") if o not in without))


def _hessian_free(*, blocks: bool) -> Method:
    def make(network: Network, given: dict[str, Any]) -> Optimiser:
        return _gauss_newton(network, HessianFree(blocks=blocks), given)

    return Method(make, (*DAMPING_OPTIONS, "eta") if blocks else ("tau", "eta"))


def _sgd(**fixed: Any) -> Method:
    def make(network: Network, given: dict[str, Any]) -> Optimiser:
        return SGD(network, **given, **fixed)

    return Method(make, (*RATE_OPTIONS, "eta"), required=("learning_rate",), first_order=True)


METHODS: dict[str, Method] = {
    "kflr": _kronecker_factored("kflr", "samples"),
    "kfra": _kronecker_factored("kfra", "samples"),
    "kfac": _kronecker_factored("kfac"),
    "rp": _kronecker_factored("rp"),
    "ekfac": _averaged(EigenvalueCorrected, "inversion"),
    "tkfac": _kronecker_factored("tkfac"),
    "tnt": _kronecker_factored("tnt"),
    "kfoc": _kronecker_factored("kfoc"),
    "foof": _kronecker_factored("foof", "samples"),
    "hessian_free": _hessian_free(blocks=False),
    "hessian_free_blocks": _hessian_free(blocks=True),
    "sgd": _sgd(),
    "momentum": _sgd(momentum=MOMENTUM),
    "nesterov": _sgd(momentum=MOMENTUM, nesterov=True),
    "adam": Method(lambda network, given: Adam(network, **given), (*RATE_OPTIONS, "eta"), first_order=True),
}
"""The methods by name.

The methods kflr, kfra and kfac use the factors of the paper, and rp uses random projections. The methods ekfac, tkfac,
tnt and kfoc approximate the same blocks of the Gauss-Newton matrix in different ways. The method foof uses the factor
Q_l, and the identity as G_l. The method hessian_free applies conjugate gradients to the full Gauss-Newton matrix, and
hessian_free_blocks to the blocks of the layers. The first-order methods are sgd, momentum, nesterov and adam.
"""


def checked_method(name: str, argument: str = "method") -> Method:
    """Return the method with this name. Raises `UsageError` for an unknown name."""
    return METHODS[with_usage_error(partial(checked_name, known=tuple(METHODS)), argument, name)]


def make_optimiser(network: Network, options: Options) -> Optimiser:
    """Make the optimiser of a run.

    Raises `UsageError` for an option that the method does not have, for a missing option, for a value out of range,
    and for a number that is infinite in the dtype of the run.
    """
    method = checked_method(options.method)
    given = {name: value for name in METHOD_OPTIONS if (value := getattr(options, name)) is not None}
    for name, value in given.items():
        if name not in method.options:
            known = ", ".join(method.options)
            raise UsageError(f"{name}: expected no value for {options.method}, whose options are {known}, got {value}")
    for name in method.required:
        if name not in given:
            raise UsageError(f"{name}: expected a number for {options.method}, got none")
    try:
        optimiser = method.make(network, given)
        check_representable(optimiser, np.zeros((), options.dtype))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{options.method}: {error}") from error
    return optimiser


def method_options(optimiser: Optimiser, method: str) -> dict[str, Any]:
    """Return the options of a method by name, with their values in the optimiser, which has filled in the defaults."""

    def value(name: str) -> Any:
        holder = getattr(optimiser, "curvature", None) if name in FACTOR_OPTIONS else optimiser
        found = getattr(holder, name)
        return found.initial if isinstance(found, Damping) else found

    return {name: value(name) for name in METHODS[method].options}
