"""The array libraries of the calls: their arrays, and values that look like them."""

import contextlib
import warnings
from typing import Any

import numpy as np

from kfgn.backends import open_backend


class Library:
    """A library on the host, in float64."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.backend = open_backend(name)
        self.xp = self.backend.xp

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        return self.backend.scope("float64")

    def __call__(self, x: Any) -> Any:
        """The array of this library."""
        return self.backend.asarray(np.asarray(x))

    def foreign(self, x: np.ndarray) -> Any:
        """An array of another library."""
        import array_api_strict

        return array_api_strict.asarray(x) if self.name == "numpy" else x

    def odd(self, x: np.ndarray) -> dict[str, Any]:
        """Values that look like an array of this library without being one, by their kind."""
        if self.name == "numpy":
            import scipy.sparse

            flat = np.atleast_2d(x if x.ndim < 3 else x.reshape(len(x), -1))
            return {
                "masked array": np.ma.masked_array(x, mask=np.zeros(x.shape, bool)),
                "sparse matrix": scipy.sparse.csr_matrix(flat),
                "sparse array": scipy.sparse.coo_array(flat),
                "array API strict": self.foreign(x),
            }
        if self.name == "torch":
            import torch

            t = torch.asarray(x)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # these tensors are in beta state
                rows = t.reshape(len(t), -1).to_sparse_csr()
            return {"sparse COO": t.to_sparse(), "sparse rows": rows, "NumPy": x, "NumPy scalar": np.float64(1.0)}
        import jax

        return {
            "NumPy": x,
            "NumPy scalar": np.float64(1.0),
            "key": jax.random.key(0),
            "shape": jax.eval_shape(lambda: x),
        }

    def dtypes(self, x: np.ndarray) -> dict[str, Any]:
        """The array in dtypes other than float64 and the integers."""
        names = ["complex128", "bool", "float16", "complex64"]
        found = {name: self(x.astype(name)) for name in names}
        if self.name == "numpy":
            for name in ("longdouble", ">f8", "object", "U3", "M8[s]", "S2"):
                found[name] = np.asarray(x).astype("int64" if name == "M8[s]" else x.dtype).astype(name)
            found["structured"] = np.zeros(x.shape, dtype=[("a", "f8"), ("b", "f8")])
            return found
        if self.name == "torch":
            import torch

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # these tensors are deprecated
                found["quantised"] = torch.quantize_per_tensor(torch.asarray(x).float(), 0.1, 0, torch.qint8)
        found["bfloat16"] = self.xp.astype(self(x), self.xp.bfloat16)
        return found

    def elsewhere(self, x: np.ndarray) -> Any | None:
        """The array on another device, or None if the library has only one."""
        return self(x).to("meta") if self.name == "torch" else None
