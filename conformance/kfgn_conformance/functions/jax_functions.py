"""A function of JAX, linearised by JAX's automatic differentiation in float64 on the CPU."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from .jax_interpreter import Interpreter, Marked, Origin, Result
from .jax_products import Product
from .linearised import Linearised, Sample, check_independent, check_outputs, datapoints
from .outputs import (
    OutputDerivatives,
    by_derivatives,
    by_name,
    check_loss,
    labels_of,
    objective as of_name,
    positions_of,
)
from .parameters import Parameters
from .uses import Array, Use


def linearise(
    f: Callable[..., Any], params: Any, X: Any, Y: Any, objective: str | Callable[..., Any], divisor: int | Fraction
) -> Linearised:
    """Linearise f in `params`, a pytree of arrays, for the inputs X, a pytree of arrays (N, ...)."""
    with float64_on_the_cpu():
        function = Function(f, params, X)
        outputs = function.checked_outputs()
        loss = losses(outputs, Y, objective, divisor)
        samples = [function.sample(n, loss(n)) for n in range(len(outputs))]
    return Linearised(function.parameters, samples, function.second)


@contextmanager
def float64_on_the_cpu() -> Iterator[None]:
    """Inside the context, JAX computes in float64 on the CPU."""
    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        yield


def losses(outputs: Array, Y: Any, objective: Any, divisor: int | Fraction) -> Callable[[int], OutputDerivatives]:
    """The loss of datapoint n and its derivatives, as a function of n."""
    labels = np.asarray(Y)
    check_loss(labels, len(outputs), divisor)
    if not callable(objective):
        net = of_name(objective, divisor)
        y = labels_of(net, outputs, labels)
        return lambda n: by_name(net, outputs[n], y[n])

    def derivatives(n: int) -> OutputDerivatives:
        def value(h: Any) -> Any:
            return objective(h.reshape(outputs[n].shape), jnp.asarray(labels[n])) / float(divisor)

        h = jnp.asarray(outputs[n]).ravel()
        return by_derivatives(value(h), np.asarray(jax.grad(value)(h)), np.asarray(jax.hessian(value)(h)))

    return derivatives


class Function:
    """A function with its parameters and its inputs, in which every floating-point number is a float64.

    theta is the vector of all parameters.
    """

    def __init__(self, f: Callable[..., Any], params: Any, X: Any) -> None:
        self.f, self.X = f, jax.tree.map(real, X)
        params = jax.tree.map(real, params)
        leaves = jax.tree.leaves_with_path(params)
        self.parameters = Parameters({jax.tree_util.keystr(path, simple=True, separator="."): p for path, p in leaves})
        self.theta, self.unravel = ravel_pytree(params)

    def outputs(self, theta: Any, rows: slice) -> Any:
        """The outputs of some datapoints."""
        return self.f(self.unravel(theta), self.batch(rows))

    def batch(self, rows: slice) -> Any:
        """The inputs of some datapoints."""
        return jax.tree.map(lambda x: x[rows], self.X)

    def checked_outputs(self) -> Array:
        """The outputs of all datapoints, (N, ..., O), after all checks."""
        N = datapoints(jax.tree.leaves(self.X))
        together, again = (np.asarray(self.outputs(self.theta, slice(N))) for _ in range(2))
        check_outputs(together, N)
        alone = [np.asarray(self.outputs(self.theta, slice(n, n + 1))) for n in range(N)]
        check_independent(together, again, alone, "")
        return together

    def sample(self, n: int, loss: OutputDerivatives) -> Sample:
        """Datapoint n with the Jacobian of its outputs and the uses of the parameters.

        The Jacobian is that of the function itself, so that the check of the uses compares two computations.
        """
        rows = slice(n, n + 1)
        h = np.asarray(self.outputs(self.theta, rows))
        J = jax.jacrev(lambda theta: self.outputs(theta, rows).ravel())(self.theta)
        return Sample(positions_of(h)[0], np.asarray(J), self.uses(rows), loss)

    def uses(self, rows: slice) -> list[Use]:
        """The uses of the parameters for one datapoint."""
        leaves, structure = jax.tree.flatten(self.unravel(self.theta))
        closed = jax.make_jaxpr(lambda *at: self.f(jax.tree.unflatten(structure, at), self.batch(rows)))(*leaves)
        places = [Origin("theta", self.parameters.shaped(name)) for name in self.parameters.values]

        def run(probes: Any) -> tuple[Any, list[Result]]:
            interpreter = Interpreter(probes)
            ((h, _),) = interpreter.run(closed, list(map(Marked, leaves, places)))
            return h.ravel(), interpreter.results

        h, results = run(None)
        probes = [jnp.zeros_like(one.value) for one in results]
        by_probe = jax.jacrev(lambda at: run(at)[0])(probes) if probes else []
        return [
            use(result, product, np.asarray(part).reshape(h.size, -1))
            for result, part in zip(results, by_probe, strict=True)
            for product in result.products
        ]

    def second(self, n: int, g: Array, rows: Array, columns: Array) -> Array:
        """The Hessian of g^T h_n in theta, at these rows and columns, with the outputs h_n of datapoint n."""
        directions = np.eye(len(self.theta))
        with float64_on_the_cpu():
            x = self.batch(slice(n, n + 1))
            found = [self._along(self.theta, x, g, directions[column]) for column in columns]
            return np.stack([np.asarray(column)[rows] for column in found], axis=1)

    @cached_property
    def _along(self) -> Callable[..., Any]:
        """The compiled function that returns the derivative along v of the gradient of g^T h in theta.

        The arguments of the function are theta, x, g and v. h are the outputs for a batch x of one datapoint.
        """

        def gradient(theta: Any, x: Any, g: Any) -> Any:
            return jax.grad(lambda at: g @ self.f(self.unravel(at), x).ravel())(theta)

        def along(theta: Any, x: Any, g: Any, v: Any) -> Any:
            return jax.jvp(lambda at: gradient(at, x, g), (theta,), (v,))[1]

        compiled: Callable[..., Any] = jax.jit(along)
        return compiled


def use(result: Result, product: Product, derivatives: Array) -> Use:
    """The use of a product, from the derivatives of the outputs with respect to the result of its operation."""
    entries, a = product.entries, np.asarray(product.inputs())
    if result.bias is not None:
        entries = np.concatenate([entries, result.bias[product.at[0]][:, None]], axis=1)
        a = np.concatenate([a, np.ones((len(a), 1))], axis=1)
    return Use(entries, a, derivatives[:, product.at])


def real(x: Any) -> Any:
    """x as an array of float64 if its dtype is a floating-point dtype, and as an array of the same dtype otherwise."""
    found = jnp.asarray(x)
    return found.astype(jnp.float64) if jnp.issubdtype(found.dtype, jnp.floating) else found
