"""The problems on which each backend is run, unless a run is thorough.

Every backend runs the same code of the port. NumPy and the backends on a GPU run everything. PyTorch, array-api-strict
and JAX on the host run only questions whose answers may differ from the answers of NumPy:

* PyTorch runs every problem, but runs the autoencoder in float32 alone, and makes steps from fewer states of the
  optimiser trajectories.
* array-api-strict computes with NumPy and checks the calls, so it runs only problems whose calls differ.
* JAX compiles a program for each quantity, network and shape, so it runs only a few problems. The quantities
  of networks with shared weights are run on two fixed problems, one of them with images. The steps of the optimiser
  are run on two trajectories. All other quantities are run on two fixed problems and on the first random problem.
  Of each pair of fixed problems or trajectories, one is run in float32 and the other in float64, because each dtype
  needs its own programs. Only the problem with tokens and the first random problem are run in both dtypes. Questions
  are repeated in other orders only on the problem `EAGER`, in float32.

The quantities of a group have the same problems on JAX, so that these quantities share programs. One of the two
problems for the factors is small and has saturated outputs. The two problems of the solves have layers of the same
shapes. All groups together contain each objective, each transfer function, and layers without a bias.

A thorough run leaves nothing out, and adapters that are given by name always run everything.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ..oracle import Oracle
from ..problems.cases import ADDED
from ..problems.problem import Checkpoint, Problem
from ..quantities import SHARED_WEIGHTS, STEPS, Quantity
from ..quantities.curvature import CURVATURE
from ..quantities.products import PRODUCTS
from ..quantities.solves import SOLVES
from .few_states import is_kept, is_kept_for_calls, with_few_states

FACTORS = next(i for i, quantity in enumerate(CURVATURE) if quantity.name == "q")
"""The index of the first quantity of `CURVATURE` that concerns Kronecker factors."""

GROUPS: dict[str, tuple[Quantity, ...]] = {
    "derivatives": CURVATURE[:FACTORS],
    "factors": CURVATURE[FACTORS:],
    "products": PRODUCTS,
    "solves": SOLVES,
    "shared weights": tuple(SHARED_WEIGHTS.values()),
    "steps": STEPS,
}
"""The quantities of a run in groups, in the order of the table."""

EAGER = "shape-square-layers-categorical"
"""The problem on which JAX is run without `jax.jit`. All layers have one shape, so few operations are compiled."""


@dataclass(frozen=True)
class Selection:
    """The problems on which an implementation is run.

    sentence:         a description of the selection for the report; empty if the selection contains everything
    problems:         patterns of ids of problems for each group of quantities; without patterns, every problem is run
    only_dtype:       the dtype of each problem that is not run in both dtypes, by id
    states:           a function of a checkpoint that is True if the optimiser makes a step from this checkpoint, or
                      None if the optimiser makes a step from every checkpoint
    in_orders:        a pattern of the ids of the problems whose questions are repeated in other orders
    dtypes_in_orders: the dtypes of implementations whose questions are repeated in other orders
    """

    sentence: str = ""
    problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only_dtype: Mapping[str, str] = field(default_factory=dict)
    states: Callable[[Checkpoint], bool] | None = None
    in_orders: str = "*"
    dtypes_in_orders: tuple[str, ...] = ("float32", "float64")

    def contains(self, problem: Problem, quantity: Quantity, dtype: str) -> bool:
        """Return True if the quantity is run on the problem in a dtype."""
        if self.only_dtype.get(problem.id, dtype) != dtype:
            return False
        (group,) = (name for name, quantities in GROUPS.items() if quantity in quantities)
        return any(fnmatchcase(problem.id, pattern) for pattern in self.problems.get(group, ("*",)))

    def part_of(self, oracle: Oracle) -> Oracle:
        """Return the oracle, restricted to the selected states of an optimiser trajectory."""
        if self.states is None or not oracle.quantity.of_trajectories:
            return oracle
        return with_few_states(oracle, self.states)


EVERYTHING = Selection()

STATES = (
    "from the first two states of an optimiser trajectory and from the states before a step that adapts tau or gamma"
)

CASES = (
    "case-bernoulli-identity",
    "case-categorical-leaky_relu",
    "case-mixture-logistic",
    "case-mixture-scalar-relu",
    "case-squared_error-softplus",
    "case-bernoulli-tanh",
    *(f"case-categorical-{transfer}" for transfer in ADDED),
)
"""The cases of array-api-strict, which contain each transfer function and each objective."""

SHAPES = ("shape-1-layer-*", "shape-5-layers-*", "shape-one-*", "shape-dead-layer-*", "shape-*-biases-*", "shape-par*")
"""The patterns of the ids of the problems with special network shapes on which array-api-strict is run.

The networks have one layer, five layers, axes of length 1, a dead layer, layers without a bias, or transfer functions
with a parameter.
"""

OF_SOLVES = (*CASES[:4], "shape-1-layer-*", "shape-one-*", "shape-*-biases-*", "drawn-*")
"""The problems of array-api-strict for damped solves, whose calls do not depend on the transfer functions."""

OF_SHARED_WEIGHTS = (
    *("shared-tokens-*", "shared-padded-*", "shared-circular-*", "shared-strided-mixture-scalar", "shared-grouped-*"),
    *("shared-without-biases-*", "shared-dilated-*", "shared-images-*-*"),
    *("shared-normalised-*", "shared-embedding-*", "shared-masked-*", "drawn-shared-*"),
)
"""The problems of array-api-strict with shared weights.

The problems have each kind of layer, each objective, sequences and images, every option of a convolution, layers
without a bias, and masks.
"""

TRAJECTORIES = ("kflr", "kfra", "kfac", "rp", "ekfac", "mixture", "blocks", "options")
"""The optimiser trajectories of array-api-strict.

The trajectories include an indefinite H_L, all options, and each method except `hessian_free`.
"""

OF_JAX = {
    "derivatives": ("case-mixture-logistic", "shape-some-biases-bernoulli"),
    "factors": ("saturated-30-categorical", "shape-parameters-squared_error"),
    "products": ("case-mixture-scalar-tanh", "case-categorical-silu"),
    "solves": ("case-categorical-gelu", "case-categorical-gelu_tanh"),
    "shared weights": ("shared-tokens-mean-categorical", "shared-images-squared_error"),
    "steps": ("walk-kfac", "walk-blocks"),
}
"""For each group of quantities on JAX: the fixed problem or trajectory in float32, and the one in float64."""

TOKENS = OF_JAX["shared weights"][0]
"""The fixed problem that JAX runs in both dtypes.

`kfra_over_tokens` is defined only on networks that do not mix positions, and the other problem of the group has a
convolution.
"""

SELECTIONS = {
    "torch": Selection(
        f"torch: every problem, the autoencoder in float32 alone. The optimiser makes steps {STATES}.",
        only_dtype={"autoencoder": "float32"},
        states=is_kept,
    ),
    "strict": Selection(
        "strict: a case for each objective and each transfer function, networks of other shapes, digits, the random "
        f"problems, problems with shared weights and {len(TRAJECTORIES)} optimiser trajectories. The solves run on "
        "fewer problems. The optimiser makes steps from the first two states of a trajectory, from the state before a "
        "step that adapts tau, and from the state before a step that adapts tau and gamma. Quantities are repeated in "
        "other orders in float32.",
        dict.fromkeys(GROUPS, (*CASES, *SHAPES, "digits", "drawn-*"))
        | {
            "solves": OF_SOLVES,
            "steps": tuple(f"walk-{name}" for name in TRAJECTORIES),
            "shared weights": OF_SHARED_WEIGHTS,
        },
        states=is_kept_for_calls,
        dtypes_in_orders=("float32",),
    ),
    "jax": Selection(
        f"jax: two fixed problems for each quantity, each in one dtype ({TOKENS} in both), compiled by jax.jit, and "
        "the first random problem for all quantities except the steps and those with shared weights. Quantities are "
        "repeated in other orders on one further problem, in float32 and without jax.jit.",
        {group: (*pair, "drawn-1") for group, pair in OF_JAX.items()},
        only_dtype={single: "float32" for single, _ in OF_JAX.values() if single != TOKENS}
        | {double: "float64" for _, double in OF_JAX.values()},
        states=is_kept,
        in_orders=EAGER,
        dtypes_in_orders=("float32",),
    ),
}
"""The selections of backends on the host, by name. The other backends run everything."""
