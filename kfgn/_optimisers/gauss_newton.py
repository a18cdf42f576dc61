"""The paper's optimiser, Algorithm 1 with every heuristic of Appendix C: a damped Gauss-Newton direction, its step size
by the full Gauss-Newton matrix, and dampings that adapt themselves.
"""

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
from .state import Info, State, checked_start, no_counts
from .state_checks import check_kind, check_representable, checked_state


@dataclass(frozen=True)
class GaussNewton(Settings):
    """The Gauss-Newton optimiser of the paper, Algorithm 1 with the heuristics of Appendix C.

    It minimises f = loss + eta / 2 |theta|^2, where theta are all weights, biases included.

    Parameters
    ----------
    network : Network
        The network and its objective.
    curvature : KroneckerFactored, HessianFree or str, optional
        The estimate of the Gauss-Newton matrix. By default it is KFRA. A name is a short form: "kfra", "kflr", "kfac"
        and "rp" are `KroneckerFactored` with this method, and "hessian_free" is `HessianFree()`. The attribute of an
        instance is never a name.
    eta : float, optional
        The weight of L2.
    tau, gamma : Damping or None, optional
        The dampings of the full matrix and of the blocks. None is replaced by the default of the curvature, so that
        the attributes of an instance are never None.
    thresholds : pair of float, optional
        tau is increased where rho is below the first threshold, and decreased where rho is above the second. The paper
        has one, 3/4.
    max_step_size : float or None, optional
        The largest |alpha|. None for no bound, as in the paper.
    momentum : float, optional
        From 0 to 1: the part of the last update that is added to the next one. The paper found no use for it.
    parameter_average : float, optional
        From 0 to 1: the upper bound of the decay beta in the average of the parameters (45).

    Raises
    ------
    TypeError
        For a value of a wrong type.
    ValueError
        For a number out of range, and for an objective whose H_L is indefinite if `Network.psd` is "raise".

    Notes
    -----
    A step on a batch computes, with the curvature as averaged over the batches so far and the exact Gauss-Newton matrix
    G-bar of this batch::

        delta~ = C~^-1 grad f           C~    = curvature + (gamma + eta) I     (33)-(38)
        delta  = alpha delta~           alpha = -delta~^T grad f / delta~^T C-bar delta~
                                        C-bar = G-bar + (tau + eta) I           (39)-(41)

    tau follows the reduction ratio rho (42). gamma is the one of gamma omega, gamma and gamma / omega with which the
    model under C-bar falls most (C.3). Both changes in rho are those of the whole update: delta, and with momentum the
    part of the last update. tau keeps its value if both changes are within eight roundings of f.

    A step costs a forward and a backward pass, the factors and their inversion, and for alpha a forward pass of
    tangents. A step that adapts tau has one more forward pass. A step that adapts gamma has three inversions and three
    passes of tangents.

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
            W_l (D_l, D_{l-1} + 1) with the bias in the last column, or (D_l, D_{l-1}) without a bias. They are finite,
            float32 or float64, and on one device. The state has a copy of them.

        Returns
        -------
        State
            With t = 0, a Python integer. Its arrays have the library, dtype and device of the weights, and no two of
            them share memory.

        Raises
        ------
        TypeError
            For values that are not arrays, for arrays of different libraries, and for wrong dtypes.
        ValueError
            For wrong shapes, different devices and values that are not finite, and for a hyperparameter that the dtype
            of the weights cannot hold.
        MemoryError
            If the averaged factors exceed the memory of the device.

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
        """Return the random numbers of a step. They depend on the arguments alone.

        Parameters
        ----------
        seed : int or key of JAX
            The seed of the run, from 0, for numbers that NumPy draws: they are equal on every library and device. Or a
            key of `jax.random`, for numbers that JAX draws, also in a traced program: they differ from those of every
            integer.
        t : int
            The number of the step, 1, 2, ... With a key, t may be an integer that JAX traces.
        N : int
            The number of datapoints in the batch of the step.

        Returns
        -------
        array of NumPy or JAX, or None
            In float32, of `label_draws_shape` for KFAC and of `projection_shape` for random projections. `step`
            converts them to the library, dtype and device of the weights. None for methods that sample nothing.

        Raises
        ------
        TypeError, ValueError
            For an argument that is neither an integer in its range nor a key.

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
        """Return the state after one update on a batch, and its outcome. Pure: no argument changes.

        Parameters
        ----------
        state : State
            The state from `init` or from an earlier step.
        X : Array
            The inputs (N, D_0).
        Y : Array
            The targets: (N, D_L), or (N,) indices for the categorical objective and the mixture.
        draws : Array or None, optional
            The result of `draw`, or other numbers of its shape and distribution. Arrays of NumPy and float32 arrays of
            JAX are converted to the library, dtype and device of the weights, if that is exact. All other arrays have
            the library, dtype and device of the weights.

        Returns
        -------
        State
            With t one larger.
        Info
            0-d arrays. The step does not wait for the device.

        Raises
        ------
        TypeError
            For values that are not arrays, for arrays of different libraries, for wrong dtypes, and for tensors inside
            a transform of torch.func.
        ValueError
            For wrong shapes, different devices, an empty batch, and a state of another optimiser.

        Notes
        -----
        A step that cannot be computed, or whose targets or draws are out of range, is rejected: `Info.ok` is False, and
        the state keeps everything except t and the counts. If the batch and the draws were in order, a damping was too
        small. One of the two is then increased, to the larger of its value / omega and the unit roundoff, within its
        bounds:

        gamma
            if a damped block is not positive definite or the direction is not finite. With the full matrix of
            `HessianFree`, which does not depend on gamma, tau is increased instead.
        tau
            if the direction is finite and alpha times the direction is not, or if this step adapts tau and f is not
            finite after the update.

        f after the update is computed only in steps that adapt tau. Another step may therefore be accepted although f,
        or a sum that the next step needs, overflows at the new weights. Every later step is then rejected, and no
        damping helps. In this case continue from an earlier state with a larger tau, with `max_step_size`, or with a
        tau of period 1, which computes f after every update.

        JAX compiles one program, which serves every t. `jax.jit` and `jax.lax.scan` may also trace a step as a part of
        a larger program, in which `State.t` is an array. Both give the same results within rounding.

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
        after, info = self._program(t, X)(state._replace(t=None), X, Y, draws)
        return after._replace(t=t), info

    def _start(self, weights: Arrays) -> State:
        W_1 = weights[0]
        return State(
            t=0,
            weights=weights,
            average=weights,
            factors=self.estimate.start(self.network, W_1),
            tau=scalar(self.dampings.tau.initial, W_1),
            gamma=scalar(self.dampings.gamma.initial, W_1),
            update=tuple(zeros(W.shape, W_1) for W in weights) if self.momentum else (),
            counts=no_counts(W_1),
        )

    def _program(self, t: int | Array, like: Array) -> Callable[..., tuple[State, Info]]:
        """The function of a state, X, Y and draws that does step t.

        JAX compiles one program for every t, instead of one for each of up to eight schedules. The other libraries
        choose on the host.
        """
        if can_branch_on(like):
            return partial(compiled(step_at, self, like=like), t)
        return compiled(step, self, schedule_at(self, t), like=like)
