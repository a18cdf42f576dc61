"""The parameters of a model as one vector theta, and the names under which they are found.

>>> import numpy as np
>>> from kfgn_conformance.functions.parameters import Parameters
>>> parameters = Parameters({"fc.weight": np.ones((2, 3)), "fc.bias": np.zeros(2)})
>>> parameters.places("fc.bias").tolist(), parameters.common_name(("fc.weight", "fc.bias"))
([[6], [7]], 'fc')
"""

from collections.abc import Mapping, Sequence

import numpy as np

from .uses import Array


class Parameters:
    """Named arrays, and the vector theta (P,) of all their entries, each array by rows.

    values: the arrays by their names
    first:  for each name, the name of the same array in `values`. A tied parameter has several names
    """

    def __init__(self, values: Mapping[str, Array], tied: Mapping[str, str] | None = None) -> None:
        if not values:
            raise ValueError("model: expected parameters of real numbers, got none")
        self.first = {name: name for name in values} | dict(tied or {})
        self.values = {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}
        self.theta = np.concatenate([value.ravel() for value in self.values.values()])
        ends = np.cumsum([value.size for value in self.values.values()])
        self._starts = dict(zip(self.values, [0, *ends[:-1]], strict=True))

    def shaped(self, name: str) -> Array:
        """The places in theta of a parameter, in its shape."""
        value = self.values[name]
        places: Array = self._starts[name] + np.arange(value.size).reshape(value.shape)
        return places

    def places(self, name: str) -> Array:
        """The places in theta of a parameter, as a matrix with its first axis as rows and all others as columns."""
        shaped = self.shaped(name)
        return shaped.reshape(len(shaped) if shaped.ndim else 1, -1)

    def names_at(self, places: Array) -> tuple[str, ...]:
        """The names of the parameters with entries at `places` (O, I) of theta, in the order of the columns."""
        starts, names = np.array(list(self._starts.values())), list(self.values)
        owners = np.searchsorted(starts, places.ravel(order="F"), side="right") - 1
        return tuple(names[owner] for owner in dict.fromkeys(owners.tolist()))

    def common_name(self, names: Sequence[str]) -> str:
        """The name of a matrix that is made of several parameters.

        If a module has exactly these parameters, the name is that of the module. Otherwise the name is a list of the
        parameters' names. A single parameter keeps its own name.
        """
        if len(names) == 1:
            return names[0]
        modules = dict.fromkeys(name.rpartition(".")[0] for name, first in self.first.items() if first in names)
        for module in filter(None, modules):
            if {first for name, first in self.first.items() if name.startswith(f"{module}.")} == set(names):
                return module
        return ", ".join(names)
