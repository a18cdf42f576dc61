"""A use of parameters as a matrix in a product, and the product that JAX functions call so that it is seen.

>>> import numpy as np
>>> from kfgn_conformance.functions import linear
>>> linear(np.array([[1.0, 2.0]]), W=np.array([[3.0, 4.0]]), b=np.array([0.5])).tolist()
[[11.5]]
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
"""A NumPy array of float64, of places in theta, or of bool."""


class Use(NamedTuple):
    """A product h_t = W a_t at the positions t = 1, ..., T of one datapoint.

    entries: the place in theta of each entry of W, (O, I). A bias is the last column
    a:       the inputs, (T, I), with the unit for a bias
    J:       the derivatives of the K outputs with respect to the pre-activations h, (K, T, O)
    """

    entries: Array
    a: Array
    J: Array

    def part(self, rows: Array, columns: Array) -> "Use":
        """The use with some rows and columns of W. Both arguments are arrays of bool, (O,) and (I,)."""
        return Use(self.entries[np.ix_(rows, columns)], self.a[:, columns], self.J[:, :, rows])

    def jacobian(self) -> Array:
        """The derivatives of the K outputs with respect to W by this use alone, (K, O, I): sum_t J_t a_t^T."""
        return np.tensordot(self.J, self.a, axes=(1, 0))


Recorder = Callable[[Any, Any, Any, Any], Any]
"""A function of a, W, b and h, which records the product and returns h with its probe."""

_RECORDER: ContextVar[Recorder | None] = ContextVar("recorder", default=None)


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Inside the context, `linear` gives each product to the recorder."""
    token = _RECORDER.set(recorder)
    try:
        yield
    finally:
        _RECORDER.reset(token)


def linear(a: Any, W: Any, b: Any = None) -> Any:
    """Compute the product W a + b, and mark it as a use of W for `jax_oracle`.

    A function of JAX calls `linear` for each product with its parameters. Outside an oracle it is the product and no
    more. PyTorch needs no mark, since `torch_oracle` sees `torch.nn.functional.linear` and similar functions.

    Parameters
    ----------
    a : array, shape (..., I)
        The inputs. Every axis except the last one is an axis of positions.
    W : array, shape (O, I)
        Entries of the parameters: a parameter, a part of one, or one with its axes in another order.
    b : array, shape (O,), optional
        The bias, entries of the parameters too.

    Returns
    -------
    array, shape (..., O)
        a W^T + b.

    Notes
    -----
    An embedding is the product with one-hot inputs. A convolution is the product with patches. The call has to be
    outside `jax.vmap` and `jax.checkpoint`, which hide the values of their arguments. `jax.jit` and `jax.lax.scan` may
    contain it.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn_conformance.functions import linear
    >>> kernel = np.array([[3.0], [4.0]])  # (I, O), so W is its transpose
    >>> linear(np.array([[1.0, 2.0]]), kernel.T).tolist()
    [[11.0]]
    """
    h = a @ W.T if b is None else a @ W.T + b
    recorder = _RECORDER.get()
    return h if recorder is None else recorder(a, W, b, h)
