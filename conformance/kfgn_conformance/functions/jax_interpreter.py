"""A run of a JAX function, operation by operation, that finds the products with parameters and adds probes to them.

JAX writes a function as a list of operations, the jaxpr. The run also executes the operations inside compiled
functions, checkpoints and `scan` one by one. A probe is an array of zeros. The derivative of the outputs with respect
to a probe is the derivative with respect to the product. theta is the vector of all parameters. A value has an origin
if it consists of entries of theta, or of entries of the result of a product.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Literal

from .jax_products import PRODUCTS, Product, different, of_gather
from .uses import Array

OPENED = {
    **dict.fromkeys(("jit", "pjit", "remat", "remat2", "checkpoint"), "jaxpr"),
    **dict.fromkeys(("closed_call", "core_call"), "call_jaxpr"),
}
"""The operations whose inner operations are run one by one, each with the name of the field that holds the inner ones.

`loop` treats `scan`, which has further fields.
"""

REARRANGED = {
    *("reshape", "transpose", "squeeze", "broadcast_in_dim", "rev", "copy"),
    *("slice", "split", "concatenate", "dynamic_slice", "gather"),
}
"""The operations whose results consist of entries of their arguments."""


class Origin(NamedTuple):
    """The source of the entries of an array, and the place of each entry in the source.

    The source is "theta", or the index of a result that has products.
    """

    source: str | int
    places: Array


class Marked(NamedTuple):
    """A value with its origin. The origin is None for entries that are neither from theta nor from a product."""

    value: Any
    origin: Origin | None = None

    @property
    def parameters(self) -> Array | None:
        """The places in theta of the entries, or None."""
        return self.origin.places if self.origin and self.origin.source == "theta" else None


class Result(NamedTuple):
    """The result of an operation that has products. `bias` has the places in theta of a bias added to the result."""

    value: Any
    products: list[Product]
    bias: Array | None = None


class Interpreter:
    """An interpreter of jaxprs that stores the results with products. Probe i, if given, is added to result i."""

    def __init__(self, probes: Sequence[Any] | None = None) -> None:
        self.probes, self.results = probes, list[Result]()

    def run(self, closed: Any, arguments: Sequence[Marked]) -> list[Marked]:
        """The results of a closed jaxpr."""
        jaxpr = closed.jaxpr
        known = dict(zip(jaxpr.constvars, map(Marked, closed.consts), strict=True))
        known |= dict(zip(jaxpr.invars, arguments, strict=True))
        read = [variable for eqn in jaxpr.eqns for variable in eqn.invars] + list(jaxpr.outvars)
        uses = Counter(variable for variable in read if not isinstance(variable, Literal))

        def look_up(variable: Any) -> Marked:
            if isinstance(variable, Literal):
                return Marked(variable.val)
            found = known[variable]
            # the derivatives with respect to a product and to its sum with a bias differ if the product has other uses
            shared = found.origin is not None and found.origin.source != "theta" and uses[variable] > 1
            return Marked(found.value) if shared else found

        for eqn in jaxpr.eqns:
            found = self.step(eqn, [look_up(variable) for variable in eqn.invars])
            known |= dict(zip(eqn.outvars, found, strict=True))
        return [look_up(variable) for variable in jaxpr.outvars]

    def step(self, eqn: Any, arguments: list[Marked]) -> list[Marked]:
        """The results of one operation."""
        name, params = eqn.primitive.name, eqn.params
        if name in OPENED:
            inner = params[OPENED[name]]
            return self.run(inner if isinstance(inner, ClosedJaxpr) else ClosedJaxpr(inner, ()), arguments)
        if name == "scan":
            return self.loop(params, arguments)
        results = applied(eqn.primitive, params, [one.value for one in arguments])
        if name == "add":
            return [self.added(results[0], arguments)]
        products = self.products(eqn, arguments, results[0])
        if products:
            return [self.with_probe(results[0], products)]
        moves = name in REARRANGED and rearranged(eqn, arguments)
        return list(map(Marked, results, moves)) if moves else list(map(Marked, results))

    def products(self, eqn: Any, arguments: list[Marked], result: Any) -> list[Product]:
        """The products in the result of an operation."""
        name, origins = eqn.primitive.name, [one.parameters for one in arguments]
        if name == "gather" and origins[0] is not None:
            (rows,) = rearranged(eqn, arguments)
            return list(of_gather(rows.places, origins[0]))
        if name in PRODUCTS:
            return list(PRODUCTS[name](eqn.params, [one.value for one in arguments], origins, result.shape))
        return []

    def with_probe(self, value: Any, products: list[Product]) -> Marked:
        """Store a result with its products, and return its value plus its probe, if there are probes."""
        self.results.append(Result(value, products))
        number = len(self.results) - 1
        probed = value if self.probes is None else value + self.probes[number]
        return Marked(probed, Origin(number, np.arange(value.size).reshape(value.shape)))

    def added(self, value: Any, arguments: list[Marked]) -> Marked:
        """A sum. If one term is a whole product, the sum has the origin of this term. The other term may be a bias."""
        for one, other in (arguments, arguments[::-1]):
            if one.origin and isinstance(one.origin.source, int) and np.shape(one.value) == np.shape(value):
                result = self.results[one.origin.source]
                if result.value.size == one.origin.places.size and different(one.origin.places):
                    self.add_bias(one.origin, other)
                    return Marked(value, one.origin)
        return Marked(value)

    def add_bias(self, of: Origin, added: Marked) -> None:
        """Store the parameters `added` as the bias of a result, if they are the same at every position."""
        assert isinstance(of.source, int)
        result = self.results[of.source]
        if added.parameters is None or result.bias is not None:
            return
        places = np.empty(of.places.size, dtype=int)
        places[of.places.ravel()] = np.broadcast_to(added.parameters, of.places.shape).ravel()
        rows = [places[product.at] for product in result.products]
        if all((row == row[:1]).all() and different(row[0]) for row in rows):
            self.results[of.source] = result._replace(bias=places)

    def loop(self, params: dict[str, Any], arguments: list[Marked]) -> list[Marked]:
        """`scan`, step by step. A `scan` may read a product at several steps, so only parameters keep their origin."""
        arguments = [one if one.parameters is not None else Marked(one.value) for one in arguments]
        ends = np.cumsum([params["num_consts"], params["num_carry"]])
        constants, carry, over = arguments[: ends[0]], arguments[ends[0] : ends[1]], arguments[ends[1] :]
        steps = range(params["length"])
        rows: dict[int, list[Marked]] = {}
        for i in reversed(steps) if params["reverse"] else steps:
            found = self.run(params["jaxpr"], [*constants, *carry, *(at_step(one, i) for one in over)])
            carry, rows[i] = [Marked(one.value) for one in found[: len(carry)]], found[len(carry) :]
        columns = zip(*(rows[i] for i in steps), strict=True)
        return [*carry, *(Marked(jnp.stack([one.value for one in column])) for column in columns)]


def at_step(one: Marked, i: int) -> Marked:
    """Row i of a value."""
    origin = one.origin and one.origin._replace(places=one.origin.places[i])
    return Marked(one.value[i], origin)


def applied(primitive: Any, params: dict[str, Any], values: Sequence[Any]) -> list[Any]:
    """The results of an operation."""
    bound = primitive.get_bind_params(params)
    functions, options = bound if isinstance(bound, tuple) else ((), bound)  # a tuple before JAX 0.10
    found = primitive.bind(*functions, *values, **options)
    return list(found) if primitive.multiple_results else [found]


def rearranged(eqn: Any, arguments: list[Marked]) -> list[Origin]:
    """The origins of the results of an operation that moves entries, by the same operation on the places.

    The list is empty if an argument whose entries are moved has no origin, or if these arguments have different
    sources.
    """
    moved = len(arguments) if eqn.primitive.name == "concatenate" else 1
    origins = [one.origin for one in arguments[:moved] if one.origin]
    if len(origins) < moved or len({origin.source for origin in origins}) > 1:
        return []
    places = [jnp.asarray(origin.places) for origin in origins]
    # an index outside of a table gives the place -1
    outside = {"fill_value": -1} if eqn.primitive.name == "gather" else {}
    found = applied(eqn.primitive, eqn.params | outside, [*places, *(one.value for one in arguments[moved:])])
    return [Origin(origins[0].source, np.asarray(result)) for result in found]
