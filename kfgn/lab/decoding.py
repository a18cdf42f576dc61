"""Decoding of JSON files into typed records, which msgspec checks."""

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import Any, TypeVar, cast

from .errors import FileError, library

Record = TypeVar("Record")

MAX_DEPTH = 50
"""The largest accepted depth of nested brackets. The brackets in the files of a run are less deeply nested."""


def content_of(path: Path) -> bytes:
    """Read the bytes of a file. Raises `FileError` for a pipe, a device, a socket, or any file that cannot be read."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ValueError("the path is a pipe, a device or a socket")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # a path with a zero byte gives a ValueError
        if isinstance(error, FileNotFoundError):
            raise FileError(f"{path}: expected a file, got none") from error
        reason = error.strerror if isinstance(error, OSError) else error
        raise FileError(f"{path}: expected a file that can be read: {reason}") from error


def decoded(content: bytes, kind: type[Record], place: object) -> Record:
    """Decode JSON, check that the value has the fields and types of the dictionary class `kind`, and return the value.

    place: the name of the file, with the number of the line in a file of several records

    Raises `FileError` if the content is not JSON, repeats a name in an object, is nested too deeply, has a number that
    is too large for a float, or has a text with a lone surrogate. Raises `FileError` if a field has a wrong type, is
    missing or is unknown.
    """
    try:
        value = json.loads(
            content.decode(), object_pairs_hook=_without_duplicates, parse_constant=_refused, parse_float=_finite
        )
    except RecursionError as error:
        raise FileError(f"{place}: expected JSON, got brackets that are nested too deeply") from error
    except ValueError as error:
        raise FileError(f"{place}: expected JSON: {error}") from error
    checked(value, kind, place)
    return cast("Record", value)


def checked(value: object, kind: type[Record], place: object) -> Record:
    """Convert a value to the class `kind`. Raises `FileError` if a field is missing, unknown or wrong."""
    msgspec = library("msgspec")
    try:
        converted = msgspec.convert(value, kind)
        if unknown := _unknown(value, converted):
            raise FileError(f"{place}: expected no field {unknown}, got one")
    except UnicodeEncodeError as error:
        raise FileError(f"{place}: expected text, got a lone surrogate") from error
    except RecursionError as error:
        raise FileError(f"{place}: expected a record, got brackets that are nested too deeply") from error
    except msgspec.ValidationError as error:
        raise FileError(f"{place}: {_rephrased(str(error))}") from error
    return cast("Record", converted)


def _unknown(value: object, converted: Any, depth: int = 0) -> str:
    """Return the first field that the conversion dropped, or "". Raises `RecursionError` beyond `MAX_DEPTH` levels."""
    if depth > MAX_DEPTH:
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


def _rephrased(message: str) -> str:
    """Turn "Expected `str`, got `int` - at `$.a`", a message of msgspec, into "a: expected str, got int"."""
    text, _, field = message.replace("`", "").partition(" - at $")
    text = re.sub(r"Object missing required field (\S+)", r"expected a field \1, got none", text)
    text = text.replace("Invalid enum value", "expected a known name, got")
    return f"{field.lstrip('.')}{': ' if field else ''}{text[:1].lower()}{text[1:]}"


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name!r} occurs twice in an object")
        found[name] = value
    return found


def _refused(constant: str) -> float:
    raise ValueError(f"JSON has no {constant}")


def _finite(digits: str) -> float:
    if math.isinf(value := float(digits)):
        raise ValueError(f"the number {digits} is too large")
    return value
