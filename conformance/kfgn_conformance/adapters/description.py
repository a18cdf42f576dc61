"""Descriptions of implementations, as objects of Python and of JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from ..quantities import ROWS
from ..suggestions import suggestion
from .answers import NoAnswerError, error_line, one_line, type_name
from .conventions import KIT, Conventions

MAX_CHARACTERS = 200
"""The number of characters after which a text in a description, such as the name, is cut."""

MAX_ENTRIES = 1000
"""The largest number of quantities in a description, and the largest number of flags."""


@dataclass(frozen=True)
class Description:
    """Name, version and conventions of an implementation, and the quantities that it offers.

    Parameters
    ----------
    name : str
        Name of the implementation, and the heading of its column in the table.
    version : str
        Version of the implementation, or of the library on which it runs.
    dtype : {"float32", "float64"}
        The dtype of the computations and of the answers.
    quantities : iterable of str
        Names of the quantities that the implementation offers: keys of `kfgn_conformance.QUANTITIES` and of
        `kfgn_conformance.SHARED_WEIGHTS`, or `"optimiser_step"`. The verdict on any other quantity is UNIMPLEMENTED.
        The names are stored as a frozenset.
    flags : dict of str to str, optional
        Settings that change the digits of the answers, such as `{"tf32": "off"}`. The report prints the settings.
    conventions : Conventions, optional
        Conventions of the answers. The default is the kit's own conventions.
    masks : bool, default False
        True if the implementation takes batches with a mask, which are instances of `MaskedProblem`. With False, the
        verdict on such a problem is UNIMPLEMENTED, and the adapter never gets the problem.

    Raises
    ------
    TypeError
        If a parameter does not have its documented type.
    ValueError
        If a text is empty, the name of a quantity is unknown, or there are more than 1000 quantities or more than 1000
        flags. The message on an unknown name suggests similar names.

    Notes
    -----
    Texts longer than 200 characters are cut, and the unprintable characters of a text are escaped, since reports print
    the texts.

    Examples
    --------
    >>> from kfgn_conformance import Conventions, Description
    >>> mine = Description("mine", "1.0", "float32", ["kfac", "gradient"], conventions=Conventions(reduction="sum"))
    >>> sorted(mine.quantities)
    ['gradient', 'kfac']
    >>> Description("mine", "1.0", "float32", {"kfac_block"})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: quantities: expected names of quantities, got 'kfac_block' (did you mean kfac_blocks?); the names ...
    """

    name: str
    version: str
    dtype: str
    quantities: frozenset[str]
    flags: dict[str, str] = field(default_factory=dict)
    conventions: Conventions = KIT
    masks: bool = False

    def __post_init__(self) -> None:
        for name in ("name", "version", "dtype"):
            object.__setattr__(self, name, _text(name, getattr(self, name)))
        object.__setattr__(self, "quantities", _quantities(self.quantities))
        if isinstance(self.flags, Conventions):
            raise TypeError("flags: expected a dict of texts, got Conventions; write conventions=Conventions(...)")
        object.__setattr__(self, "flags", _flags(self.flags))
        if not isinstance(self.conventions, Conventions):
            raise TypeError(f"conventions: expected Conventions, got {_type(self.conventions)}")
        if not isinstance(self.masks, bool):
            raise TypeError(f"masks: expected True or False, got {_type(self.masks)}")

    def as_json(self) -> dict[str, Any]:
        """The description as an object of JSON, without the dtype, which the kit chooses."""
        written = asdict(self)
        del written["dtype"]
        return written | {"quantities": sorted(self.quantities)}

    def plain(self) -> "Description":
        """A copy of the description in which every value has a built-in type, and not a subclass of this type."""
        return from_json(json.loads(json.dumps(Description.as_json(self))), self.dtype)


def from_json(value: Mapping[str, Any], dtype: str) -> Description:
    """Read a description from an object of JSON. Raises `NoAnswerError` if a field is missing or wrong."""
    if missing := [name for name in ("name", "version", "quantities") if name not in value]:
        raise NoAnswerError(f"expected a field {missing[0]!r} in the description, got none")
    given = value.get("conventions", {})
    if not isinstance(given, dict):
        raise NoAnswerError(f"conventions: expected an object of JSON, got {_type(given)}")
    try:
        conventions = Conventions(**given)
        name, version, quantities = value["name"], value["version"], value["quantities"]
        flags, masks = value.get("flags", {}), value.get("masks", False)
        return Description(name, version, dtype, quantities, flags, conventions, masks)
    except ValueError as error:
        raise NoAnswerError(one_line(error)) from error
    except TypeError as error:
        raise NoAnswerError(error_line(error)) from error


def _type(value: object) -> str:
    return one_line(type_name(value), MAX_CHARACTERS)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected text, got {_type(value)}")
    if not (text := one_line(value, MAX_CHARACTERS)):
        raise ValueError(f"{name}: expected text, got an empty text")
    return text


def _quantities(given: object) -> frozenset[str]:
    """Return the names of quantities in an iterable as a frozenset.

    Raises `TypeError` for a str, bytes, a mapping, and anything else that is not an iterable of names. Raises
    `ValueError` for too many names, and for an unknown name, with a message that suggests similar names.
    """
    if isinstance(given, (str, bytes, Mapping)) or not hasattr(given, "__iter__"):
        raise TypeError(f"quantities: expected a set of names, got {_type(given)}")
    names = list(islice(given, MAX_ENTRIES + 1))
    if not all(isinstance(name, str) for name in names):
        types = one_line([_type(name) for name in names], MAX_CHARACTERS)
        raise TypeError(f"quantities: expected a set of names, got {types}")
    if len(names) > MAX_ENTRIES:
        raise ValueError(f"quantities: expected at most {MAX_ENTRIES} names, got more")
    unknown = sorted(one_line(name, MAX_CHARACTERS) for name in names if name not in ROWS)
    if unknown:
        raise ValueError(
            f"quantities: expected names of quantities, got {one_line(', '.join(unknown), MAX_CHARACTERS)!r}"
            f"{suggestion(unknown, ROWS)}; the names are {', '.join(ROWS)}"
        )
    return frozenset(one_line(name) for name in names)


def _flags(given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        raise TypeError(f"flags: expected a dict of texts, got {_type(given)}")
    if len(given) > MAX_ENTRIES:
        raise ValueError(f"flags: expected at most {MAX_ENTRIES} texts, got {len(given)}")
    return {_text("flags", name): _text("flags", value) for name, value in given.items()}
