"""Layout of the JSON files, with line breaks for human readers."""

import json
from typing import Any


def lines(value: Any, indent: str = "") -> str:
    """Write a value as JSON, with one line per row of an array and per list of names."""
    if isinstance(value, dict) and value:
        inner = indent + "  "
        items = [f"{inner}{json.dumps(key)}: {lines(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        inner = indent + "  "
        return "[\n" + ",\n".join(f"{inner}{lines(item, inner)}" for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)
