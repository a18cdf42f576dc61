"""The paper's optimiser, Algorithm 1 with every heuristic of Appendix C."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._linearisation.arguments import checked, checked_targets
from .._types import Array, Arrays, Weights
from ..backends import can_branch_on, compiled, copied, with_own_settings
from .arrays import scalar, zeros
from .draws import checked_moment
from .gauss_newton_step import step, step_at
from .settings import Settings, schedule_at
from .state import Info, State, checked_start, no_counts, no_steps
from .state_checks import check_kind, check_representable, checked_state


@dataclass(frozen=True)
class GaussNewton(Settings):
    """The Gauss-Newton optimiser of the paper, Algorithm 1 with the heuristics of Appendix C.

    The optimiser minimises f = loss + eta / 2 |theta|^2, where theta contains all weights and biases.

    Parameters
    ----------
    network : Network
        The network and its objective.
    curvature : KroneckerFactored, EigenvalueCorrected, HessianFree or str, optional
        The estimate of the Gauss-Newton matrix, by default KFRA. The name of a method of `KroneckerFactored`, such as
        "kflr", selects this method, "ekfac" selects `EigenvalueCorrected()`, and "hessian_free" selects
        `HessianFree()`. The attribute `curvature` of an instance is never a name.
    eta : float, optional
        The weight of L2 regularisation.
    tau, gamma : Damping or None, optional
        The damping tau of the full matrix, and the damping gamma of the blocks. None is replaced by the default of
        `curvature`, so that the attributes tau and gamma of an instance are never None.
    thresholds : pair of float, optional
        tau is increased if rho is below the first threshold, and decreased if rho is above the second threshold.
        The paper uses 3/4 for both thresholds.
    max_step_size : float or None, optional
        The upper bound of |alpha|; None for no bound, as in the paper.
    momentum : float, optional
        The fraction of the last update that is added to the next update, from 0 to 1. The paper found no
        benefit in momentum.
    parameter_average : float, optional
        The upper bound of the decay beta in the moving average of the parameters (45), from 0 to 1.

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If a number is out of range, if the name of a curvature is unknown, if `thresholds` does not have two elements,
        or if the H_L of the objective is indefinite and `Network.psd` is "raise".

    Notes
    -----
    For `KroneckerFactored` and `EigenvalueCorrected`, let `curvature` be the curvature averaged over the batches so
    far, and G-bar the exact Gauss-Newton matrix of the current batch. A step computes::

        delta~ = C~^-1 grad f           C~    = curvature + (gamma + eta) I     (33)-(38)
        delta  = alpha delta~           alpha = -delta~^T grad f / delta~^T C-bar delta~
                                        C-bar = G-bar + (tau + eta) I           (39)-(41)

    For `HessianFree`, C~ is C-bar itself, or the exact diagonal blocks of G-bar plus (gamma + eta) I.

    tau is adapted by the reduction ratio rho (42). The new gamma is chosen from gamma omega, gamma and gamma / omega,
    so that the quadratic model with C-bar decreases most (C.3). Here omega is `Damping.omega`, and not the omega of
    (38). With momentum, rho is computed for the whole update: delta plus a fraction of the last update. The damping tau
    does not change if the changes of f and of the model are both at most eight rounding errors of f.

    With `KroneckerFactored` and refresh=1, a step costs a forward and a backward pass, the computation and inversion of
    the factors, and a forward pass of tangents for alpha. A step that adapts tau has one more forward pass, and with
    momentum one more pass of tangents. A step that adapts gamma has three inversions and three passes of tangents.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> network = kfgn.Network.dense((2, 3, 1), ("tanh",), "squared_error")
    >>> optimiser = kfgn.GaussNewton(network)
    >>> state = optimiser.init((np.ones((3, 3)) / 2, np.ones((1, 4)) / 2))
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> for _ in range(10):
    ...     state, info = optimiser.step(state, X, X[:, :1] - X[:, 1:])
    >>> bool(info.ok), bool(info.loss < 0.01)
    (True, True)
    """

    @with_own_settings
    def init(self, weights: Weights) -> State:
        """Return the state before the first step.

        Parameters
        ----------
        weights : sequence of Array
            W_l in the shapes `network.weight_shapes`: for a dense layer (D_l, D_{l-1} + 1) with the bias in the last
            column, or (D_l, D_{l-1}) without a bias. All weights are finite, float32 or float64, and on one device. The
            state has a copy of the weights.

        Returns
        -------
        State
            The state with t = 0. The arrays of the state have the library and device of the weights, and no two arrays
            share memory. The floating-point arrays have the dtype of the weights.

        Raises
        ------
        TypeError
            If the weights are not a tuple or list of arrays, belong to different libraries or have a wrong dtype, or if
            a weight is a tensor inside a transform of torch.func or inside forward-mode differentiation.
        ValueError
            If shapes are wrong, devices differ or weights are not finite, or if the dtype of the weights cannot hold a
            hyperparameter.
        MemoryError
            If the factors of a step need more memory than the device reports as available. For `KroneckerFactored`,
            three sets of factors are counted: the averages before and after a step, and the factors of the batch. With
            `refresh` above 1, the inverses before the step are counted too. For `EigenvalueCorrected`, five sets are
            counted: the averages and the eigenvectors before and after a step, and the factors of the batch.
            `HessianFree` has no factors.

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> optimiser = kfgn.GaussNewton(kfgn.Network.dense((2, 1), (), "squared_error"))
        >>> state = optimiser.init((np.zeros((1, 3)),))
        >>> state.t, float(state.tau), float(state.gamma)
        (0, 0.01, 0.01)
        """
        weights = checked_start(self.network, weights)
        check_representable(self, weights[0])
        self.estimate.check_memory(self.network, weights[0])
        return self._start(weights)._replace(average=tuple(map(copied, weights)))

    def draw(self, seed: Any, t: int | Array, N: int) -> Array | None:
        """Return the random numbers of a step, computed from the settings and the arguments alone.

        Parameters
        ----------
        seed : int or key of JAX
            The seed of the run. If the seed is an integer, at least 0, NumPy draws the random numbers, which are equal
            on every library and device. If the seed is a key of `jax.random`, JAX draws the random numbers, also in a
            traced program. JAX and NumPy draw different random numbers.
        t : int or array, shape ()
            The number of the step, from 1, which may be a 0-d integer array of JAX. If the seed is a key, JAX may
            trace this array.
        N : int
            The number of datapoints in the batch of the step.

        Returns
        -------
        array of NumPy or JAX, or None
            The random numbers in float32. The shape is the result of `label_draws_shape` for labels, and
            of `projection_shape` for random projections. `step` converts the random numbers to the library, dtype and
            device of the weights. The result is None for methods that sample nothing.

        Raises
        ------
        TypeError, ValueError
            If the seed is neither an integer nor a key, or if an argument is not an integer or is out of range.

        Examples
        --------
        >>> import kfgn
        >>> network = kfgn.Network.dense((4, 3), (), "squared_error")
        >>> kfgn.GaussNewton(network, kfgn.KroneckerFactored("rp", samples=2)).draw(seed=7, t=1, N=5).shape
        (5, 2, 3)
        """
        return self.estimate.draw(self.network, *checked_moment(seed, t, N))

    @with_own_settings
    def step(self, state: State, X: Array, Y: Array, draws: Array | None = None) -> tuple[State, Info]:
        """Return the state after one update on a batch, and the outcome of the update. No argument is changed.

        Parameters
        ----------
        state : State
            The state from `init` or from an earlier step.
        X : Array
            The inputs (N, D_0), or (N, C, T) or (N, C, H, W) in a network with positions. For an `Embedding`, the
            integer tokens (N, T) or (N, H, W). For datapoints of different length, a `Padded`.
        Y : Array
            The targets (N, D_L), or class indices (N,) for the categorical objective and the mixture. If the outputs
            have positions, the axes of positions follow N, such as (N, T, D_L) or (N, T).
        draws : Array or None, optional
            The result of `draw`, or other numbers of its shape and distribution. An array of NumPy, in float32 or in
            the dtype of the weights, is converted to the library, dtype and device of the weights. If the weights are
            arrays of JAX, a float32 array of JAX is converted to the dtype of the weights. Every other array must have
            the library, dtype and device of the weights.

        Returns
        -------
        State
            The new state, whose t is larger by 1.
        Info
            The outcome of the step, as 0-d arrays that the device may still be computing.

        Raises
        ------
        TypeError
            If arguments are not arrays, belong to different libraries, have a wrong dtype, or are tensors inside a
            transform of torch.func or inside forward-mode differentiation, or if the state is not a `State`.
        ValueError
            If shapes are wrong, devices differ, the batch is empty, or the state belongs to another optimiser. If
            `draws` is None for a method that samples, or an array for a method that samples nothing.

        Notes
        -----
        A step is rejected if it cannot be computed, if targets or draws are out of range, or if a layer cannot take the
        mask of X. After a rejected step `Info.ok` is False, and only t, the counts and possibly one damping have
        changed. If `KroneckerFactored.refresh` is above 1, a rejected step also adds the inverses that the given state
        lacks.

        A rejected step increases one damping if f and grad f are finite, if the targets, the draws and a mask of X are
        valid, and if a curvature has been computed. The new value is max(damping / omega, u), within the bounds of the
        damping, where omega is `Damping.omega` and u is the unit roundoff of the dtype. A damping whose period is None
        does not change.

        * gamma increases if a damped block is not positive definite, or if the direction or a term of the quadratic
          model along the direction is not finite. The full matrix of `HessianFree` does not depend on gamma, so tau
          increases instead.
        * tau increases if the direction is finite but |update|^2 is not, or if the step adapts tau and f is not finite
          after the update.

        Only steps that adapt tau compute f after the update. A step that does not adapt tau may therefore be accepted
        although f, or a value that the next step computes, overflows at the new weights. After an overflow at the new
        weights every step is rejected, and no damping helps. The remedy is to continue from an earlier state with a
        larger tau, with `max_step_size`, or with the period 1 for tau. With the period 1, every step computes f after
        the update.

        JAX compiles one program for all t. `jax.jit` and `jax.lax.scan` may also trace a step as a part of a larger
        program, in which `State.t` is an array. A step in a larger program and a separate step have equal results
        within rounding.

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> optimiser = kfgn.GaussNewton(kfgn.Network.dense((1, 1), (), "squared_error"))
        >>> X = np.array([[0.0], [1.0], [2.0]])
        >>> state, info = optimiser.step(optimiser.init((np.zeros((1, 2)),)), X, 3 * X + 1)
        >>> round(float(info.loss), 4), state.t, bool(info.ok)
        (11.0, 1, True)
        """
        check_kind(state, State)
        _, X = checked(self.network, state.weights, X, check=False)
        Y = checked_targets(self.network, X, Y, check=False)
        draws = self.estimate.checked_draws(self.network, X, draws)
        state = checked_state(self, state)
        t = state.t + 1
        after, info = self._program(t, state.weights[0])(state._replace(t=None), X, Y, draws)
        return after._replace(t=t), info

    def _start(self, weights: Arrays) -> State:
        W_1 = weights[0]
        return State(
            t=no_steps(W_1),
            weights=weights,
            average=weights,
            factors=self.estimate.start(self.network, W_1),
            tau=scalar(self.dampings.tau.initial, W_1),
            gamma=scalar(self.dampings.gamma.initial, W_1),
            update=tuple(zeros(W.shape, W_1) for W in weights) if self.momentum else (),
            counts=no_counts(W_1),
        )

    def _program(self, t: int | Array, like: Array) -> Callable[..., tuple[State, Info]]:
        """The function of a state, X, Y and draws that computes step t.

        JAX compiles one program for all t, instead of one program for each of up to eight schedules. For other
        libraries the host chooses the schedule.
        """
        if can_branch_on(like):
            return partial(compiled(step_at, self, like=like), t)
        return compiled(step, self, schedule_at(self, t), like=like)
