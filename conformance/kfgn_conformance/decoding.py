"""Decoding of JSON and TOML files into typed records, checked by msgspec."""

import dataclasses
import json
import math
import tomllib
from pathlib import Path
from typing import Any, TypeVar

Record = TypeVar("Record")

DEEPEST = 50
"""The largest supported depth of nested brackets, more than any file needs."""


class FileError(ValueError):
    """An unreadable or malformed file. The message names the file and the field, and says what was expected."""


def content_of(path: Path) -> bytes:
    """The bytes of a file. `FileError` if it cannot be read, or is a pipe or a device, which might never end."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ValueError("it is a pipe or a device")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        raise FileError(f"{path}: expected a file that can be read: {reason}") from error


def from_json(content: bytes, place: object) -> Any:
    """Decode JSON. Raises `FileError`. place: the name of the file, and the line if it has several."""
    try:
        return json.loads(
            content.decode(), object_pairs_hook=_without_duplicates, parse_constant=_refused, parse_float=_finite
        )
    except RecursionError as error:
        raise FileError(f"{place}: expected JSON, got brackets that are nested too deep") from error
    except ValueError as error:
        raise FileError(f"{place}: expected JSON: {error}") from error


def from_toml(content: bytes, place: object) -> Any:
    """Decode TOML. Raises `FileError`. place: the name of the file."""
    try:
        return tomllib.loads(content.decode())
    except RecursionError as error:
        raise FileError(f"{place}: expected TOML, got brackets that are nested too deep") from error
    except ValueError as error:
        raise FileError(f"{place}: expected TOML: {error}") from error


def checked(value: object, kind: type[Record], place: object) -> Record:
    """Convert a value to a record. Raises `FileError` for a field that has a wrong type, is missing or is unknown."""
    import msgspec  # needed only for reading files

    try:
        converted = msgspec.convert(value, kind)
        if unknown := _unknown(value, converted):
            raise FileError(f"{place}: expected no field {unknown}")
    except UnicodeEncodeError as error:
        raise FileError(f"{place}: expected text, got a lone surrogate") from error
    except RecursionError as error:
        raise FileError(f"{place}: expected a record, got brackets that are nested too deep") from error
    except msgspec.ValidationError as error:
        raise FileError(f"{place}: {_reworded(str(error))}") from error
    return converted


def _unknown(value: object, converted: Any, depth: int = 0) -> str:
    """The first name that the conversion has dropped, or "". Raises `RecursionError` for too deeply nested values."""
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(value, dict):
        known = vars(converted) if dataclasses.is_dataclass(converted) else converted
        for name, inner in value.items():
            if name not in known:
                return repr(name)
            if below := _unknown(inner, known[name], depth + 1):
                return f"{below} in {name}"
    elif isinstance(value, list):
        pairs = zip(value, converted, strict=True)
        return next((name for one, other in pairs if (name := _unknown(one, other, depth + 1))), "")
    return ""


def _reworded(message: str) -> str:
    """Reword a message of msgspec, "Expected `str`, got `int` - at `$.a`", as "a: expected str, got int"."""
    what, _, field = message.replace("`", "").partition(" - at $")
    what = what.replace("Object missing required field", "expected a field")
    what = what.replace("Invalid enum value", "expected a different name than")
    return f"{field.lstrip('.')}{': ' if field else ''}{what[:1].lower()}{what[1:]}"


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object with these names and values. Raises `ValueError` for a repeated name."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name!r} occurs twice in an object")
        found[name] = value
    return found


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is not valid JSON")


def _finite(digits: str) -> float:
    if math.isinf(value := float(digits)):
        raise ValueError(f"the number {digits} is too large")
    return value
