"""Decoding of JSON and TOML files into typed records, checked by msgspec."""

import dataclasses
import io
import json
import math
import os
import selectors
import stat
import tomllib
from pathlib import Path
from typing import Any, TypeVar

Record = TypeVar("Record")

DEEPEST = 50
"""The maximum depth of nested brackets in a value that `checked` converts. No file of the kit is so deep."""


MAX_BYTES = 2**28
"""The maximum number of bytes in a file or a pipe, far above the number of bytes in any file of the kit."""


class FileError(ValueError):
    """Raised for an unreadable or malformed file.

    The message names the file and what was expected. For a wrong field, the message also names the field.
    """


def content_of(path: Path) -> bytes:
    """Read a file or a pipe.

    Raises `FileError` if the file cannot be read, has more than `MAX_BYTES` bytes, or is a device, a socket or an
    empty pipe.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISFIFO(mode):
            content = _piped(path)
        elif stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        else:
            raise ValueError("the file is a socket" if stat.S_ISSOCK(mode) else "the file is a device")
        if len(content) > MAX_BYTES:
            raise ValueError(f"the file has more than {MAX_BYTES} bytes")
    except (OSError, ValueError) as error:  # `stat` raises ValueError for a path with a zero byte
        reason = error.strerror if isinstance(error, OSError) else error
        raise FileError(f"{path}: expected a file that can be read: {reason}") from error
    return content


def _piped(path: Path) -> bytes:
    """Read a pipe up to its end, but stop soon after `MAX_BYTES` bytes.

    Raises `ValueError` for an empty pipe. A pipe that no program has open for writing counts as empty.
    """
    content = bytearray()
    with io.FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK)) as pipe, selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while (chunk := pipe.read(2**16)) != b"" and len(content) <= MAX_BYTES:
            if chunk is None:
                selector.select()
            content += chunk or b""
    if not content:
        raise ValueError("the file is an empty pipe")
    return bytes(content)


def from_json(content: bytes, place: object) -> Any:
    """Decode JSON.

    Raises `FileError` for malformed JSON, a name that occurs twice in an object, a floating-point number outside the
    range of float64, and brackets nested too deep.

    place: the name of the file, with the number of the line in a file of JSON lines
    """
    try:
        return json.loads(
            content.decode(), object_pairs_hook=_without_duplicates, parse_constant=_refused, parse_float=_finite
        )
    except RecursionError as error:
        raise FileError(f"{place}: expected JSON, got brackets that are nested too deep") from error
    except ValueError as error:
        raise FileError(f"{place}: expected JSON: {error}") from error


def from_toml(content: bytes, place: object) -> Any:
    """Decode TOML. Raises `FileError` for malformed TOML or brackets nested too deep. place: the name of the file."""
    try:
        return tomllib.loads(content.decode())
    except RecursionError as error:
        raise FileError(f"{place}: expected TOML, got brackets that are nested too deep") from error
    except ValueError as error:
        raise FileError(f"{place}: expected TOML: {error}") from error


def checked(value: object, kind: type[Record], place: object) -> Record:
    """Convert decoded JSON or TOML to a record of class `kind`.

    Raises `FileError` for a field that has a wrong value, is missing or is unknown, for a lone surrogate in a text, and
    for brackets nested too deep.
    """
    import msgspec  # msgspec is needed only for reading files

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
    """Return the first name in `value` that the record `converted` does not have, such as "'b' in a", or "".

    Here `a` is the field that contains the name. Raises `RecursionError` for values nested too deep.
    """
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
    """Reword a message of msgspec, such as "Expected `str`, got `int` - at `$.a`", as "a: expected str, got int"."""
    what, _, field = message.replace("`", "").partition(" - at $")
    what = what.replace("Object missing required field", "expected a field")
    what = what.replace("Invalid enum value", "expected a different name than")
    return f"{field.lstrip('.')}{': ' if field else ''}{what[:1].lower()}{what[1:]}"


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dictionary of the names and values of a JSON object. Raises `ValueError` for a repeated name."""
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
