"""The methods that are compared, by name."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .._network.network import Network
from .._optimisers import SGD, Adam, Damping, GaussNewton, HessianFree, KroneckerFactored
from .._optimisers.state_checks import check_representable
from .._validation.scalars import checked_name
from .errors import UsageError
from .options import OF_THE_METHOD, Options, usage

Optimiser: TypeAlias = GaussNewton | SGD | Adam

MOMENTUM = 0.9
"""That of `momentum` and `nesterov`; the paper does not say."""

OF_THE_FACTORS = ("samples", "average", "inversion", "refresh")
OF_THE_DAMPING = ("tau", "gamma")
OF_THE_RATE = ("learning_rate", "halving")


class Method(NamedTuple):
    """How an optimiser is made from those of the options in `takes` that were given, and which it cannot be without."""

    make: Callable[[Network, dict[str, Any]], Optimiser]
    takes: tuple[str, ...]
    needs: tuple[str, ...] = ()
    first_order: bool = False


def _gauss_newton(network: Network, curvature: KroneckerFactored | HessianFree, given: dict[str, Any]) -> GaussNewton:
    defaults = {"tau": curvature.default_tau, "gamma": curvature.default_gamma}
    dampings = {name: _starting(name, given[name], defaults[name]) for name in OF_THE_DAMPING if name in given}
    return GaussNewton(network, curvature, **{**given, **dampings})


def _starting(name: str, initial: float, default: Damping) -> Damping:
    """The default of tau or gamma from another start, and within bounds that have it."""
    try:
        return replace(default, initial=initial, lower=max(0.0, min(default.lower, initial)))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from error


def _factored(name: str, *without: str) -> Method:
    def make(network: Network, given: dict[str, Any]) -> Optimiser:
        factors = {option: given[option] for option in OF_THE_FACTORS if option in given}
        rest = {option: value for option, value in given.items() if option not in factors}
        return _gauss_newton(network, KroneckerFactored(name, **factors), rest)

    return Method(make, tuple(o for o in (*OF_THE_FACTORS, *OF_THE_DAMPING, "eta") if o not in without))


def _hessian_free(*, blocks: bool) -> Method:
    def make(network: Network, given: dict[str, Any]) -> Optimiser:
        return _gauss_newton(network, HessianFree(blocks=blocks), given)

    return Method(make, (*OF_THE_DAMPING, "eta") if blocks else ("tau", "eta"))


def _sgd(**fixed: Any) -> Method:
    takes = (*OF_THE_RATE, "eta")
    return Method(lambda network, given: SGD(network, **given, **fixed), takes, ("learning_rate",), first_order=True)


METHODS: dict[str, Method] = {
    "kflr": _factored("kflr", "samples"),
    "kfra": _factored("kfra", "samples"),
    "kfac": _factored("kfac"),
    "rp": _factored("rp"),
    "hessian_free": _hessian_free(blocks=False),
    "hessian_free_blocks": _hessian_free(blocks=True),
    "sgd": _sgd(),
    "momentum": _sgd(momentum=MOMENTUM),
    "nesterov": _sgd(momentum=MOMENTUM, nesterov=True),
    "adam": Method(lambda network, given: Adam(network, **given), (*OF_THE_RATE, "eta"), first_order=True),
}


def checked_method(name: str, argument: str = "method") -> Method:
    """The method of that name; `UsageError` for one that is not known."""
    return METHODS[usage(partial(checked_name, known=tuple(METHODS)), argument, name)]


def make_optimiser(network: Network, options: Options) -> Optimiser:
    """The optimiser of a run.

    Raises `UsageError` for an option that its method does not take, needs or has out of range, and for a number that
    the dtype of the run cannot hold.
    """
    method = checked_method(options.method)
    given = {name: value for name in OF_THE_METHOD if (value := getattr(options, name)) is not None}
    for name in given:
        if name not in method.takes:
            raise UsageError(f"{name}: expected none for {options.method}, which has {', '.join(method.takes)}")
    for name in method.needs:
        if name not in given:
            raise UsageError(f"{name}: expected a number for {options.method}, got none")
    try:
        optimiser = method.make(network, given)
        check_representable(optimiser, np.zeros((), options.dtype))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{options.method}: {error}") from error
    return optimiser


def settings(optimiser: Optimiser, method: str) -> dict[str, Any]:
    """The values that the options of a method have in its optimiser, given or not."""

    def value(name: str) -> Any:
        holder = getattr(optimiser, "curvature", None) if name in OF_THE_FACTORS else optimiser
        found = getattr(holder, name)
        return found.initial if isinstance(found, Damping) else found

    return {name: value(name) for name in METHODS[method].takes}
