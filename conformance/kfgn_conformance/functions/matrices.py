"""The matrices of a model: their names, their entries, and the uses of each.

The uses of a parameter may have several forms. The groups of a convolution are forms of one kernel, and a tied
embedding is used as W and as its transpose. A form has one order of rows and columns, so its uses can be joined.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .parameters import Parameters
from .uses import Array, Use


class Form(NamedTuple):
    """The uses of a matrix that have the same order of entries.

    entries: the place of each entry, (O, I), in theta, the vector of all parameters
    uses:    the uses of each datapoint, in their order
    """

    entries: Array
    uses: list[list[Use]]


class Matrices:
    """The names and forms of all matrices of a model, from its parameters and the uses of each datapoint."""

    def __init__(self, parameters: Parameters, uses: Sequence[Sequence[Use]]) -> None:
        self.parameters, self._uses = parameters, uses
        owners = dict.fromkeys(parameters.names_at(use.entries) for datapoint in uses for use in datapoint)
        matrices = {parameters.common_name(names): names for names in owners}
        self._owners = matrices | {name: (name,) for name in parameters.values}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the matrices, in the order of `parameters`.

        A parameter that is in no matrix of several parameters is a matrix itself.
        """
        inside = {owner for owners in self._owners.values() if len(owners) > 1 for owner in owners}
        every = list(self.parameters.values)
        names = [name for name, owners in self._owners.items() if len(owners) > 1 or name not in inside]
        return tuple(sorted(names, key=lambda name: every.index(self._owners[name][0])))

    def owners(self, name: str) -> tuple[str, ...]:
        """The names of the parameters of a matrix. Raises `ValueError` for an unknown name."""
        found = self._owners.get(self.parameters.first.get(name, name))
        if found is None:
            known = ", ".join(map(repr, self.names))
            raise ValueError(f"name: expected a parameter or one of {known}, got {name!r}")
        return found

    def places(self, name: str) -> Array:
        """All places in theta of a matrix, sorted."""
        return np.sort(np.concatenate([self.parameters.places(owner).ravel() for owner in self.owners(name)]))

    def forms(self, name: str) -> list[Form]:
        """The forms of all uses of the matrix, in the order of their first use.

        A use may also have entries of other parameters. A use is left out unless the entries of the matrix form a
        submatrix of the use, from some rows and some columns.
        """
        places, forms = self.places(name), dict[tuple[bytes, tuple[int, ...]], Form]()
        for n, datapoint in enumerate(self._uses):
            for use in datapoint:
                inside = np.isin(use.entries, places)
                rows, columns = (np.asarray(inside.any(axis=axis)) for axis in (1, 0))
                if not inside.any() or not np.array_equal(inside, np.outer(rows, columns)):
                    continue
                found = use.part(rows, columns)
                key = found.entries.tobytes(), found.entries.shape
                form = forms.setdefault(key, Form(found.entries, [[] for _ in self._uses]))
                form.uses[n].append(found)
        return list(forms.values())

    def entries(self, name: str) -> Array:
        """The place in theta of each entry of the matrix W (O, I) that the name denotes.

        The order is that of the uses if all uses agree, with the groups of a convolution below each other. Otherwise a
        parameter has its first axis as rows and all others as columns, and a bias is the last column. If
        the parameters have different numbers of rows, all entries are one column.
        """
        places, forms = self.places(name), [form.entries for form in self.forms(name)]
        if len({len(form.T) for form in forms}) == 1:
            below = np.concatenate(forms)
            if np.array_equal(np.sort(below.ravel()), places):
                return below
        default = [self.parameters.places(owner) for owner in self.owners(name)]
        return np.concatenate(default, axis=1) if len({len(part) for part in default}) == 1 else places[:, None]
