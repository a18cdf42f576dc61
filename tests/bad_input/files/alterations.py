"""A seeded generator of alterations of a file."""

import copy
import json
import random
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

FOLDER, NOTHING = "a folder", "nothing"
"""Names of the replacements of a file."""

DEEP = 100_000
"""The number of nested brackets."""

RAW = "@raw@"
"""A mark of text that is not a Python value."""

VALUES = {
    "null": None,
    "true": True,
    "a negative number": -7,
    "zero": 0,
    "a fraction": 0.5,
    "a huge integer": 10**400,
    "an empty text": "",
    "a text": "seven",
    "control characters": "\x1b[31m\n\u202e[/b]",
    "a lone surrogate": "\ud800",
    "an empty list": [],
    "a list": [1, "2", None],
    "an empty object": {},
    "an object": {"t": 1},
    "NaN": "NaN",
    "infinity": "-Infinity",
    "a huge number": "1e999",
    "a long integer": "9" * 6000,
    "deep brackets": "[" * DEEP + "]" * DEEP,
    "deep braces": '{"a":' * DEEP + "1" + "}" * DEEP,
}
"""New values of a field; the last six are written as raw text."""

TEXTS = tuple(VALUES)[-6:]


class Alteration(NamedTuple):
    """A change of a file in place."""

    name: str
    apply: Callable[[Path], None]


def alterations(path: Path, count: int, seed: int) -> Iterator[Alteration]:
    """Yield a number of alterations of a file, with all kinds of its format in turn. The seed chooses the places."""
    content = path.read_bytes()
    kinds = [*BYTES, *FORMATS.get(path.suffix, ())]
    for i in range(count):
        rng = random.Random(f"{seed} {path.name} {i}")
        order = random.Random(f"{seed} {i // len(kinds)}").sample(kinds, len(kinds))
        kind = order[i % len(kinds)]
        changed = kind(content, rng)
        name = f"{path.name}, {i}: {kind.__name__.replace('_', ' ')}"
        yield Alteration(name, lambda place, changed=changed: _put(place, changed))


def _put(place: Path, changed: bytes | str) -> None:
    """Replace the file by other content or by a folder, or remove it."""
    place.unlink()
    if isinstance(changed, bytes):
        place.write_bytes(changed)
    elif changed == FOLDER:
        place.mkdir()


def restore(folder: Path, good: Path) -> None:
    """Make the folder equal to the good one."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(good, folder)


# Changes of any file


def a_bit_flipped(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def a_byte_changed(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def truncated(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def emptied(_content: bytes, _rng: random.Random) -> bytes:
    return b""


def replaced_by_a_folder(_content: bytes, _rng: random.Random) -> str:
    return FOLDER


def removed(_content: bytes, _rng: random.Random) -> str:
    return NOTHING


def with_zeros_at_its_end(content: bytes, rng: random.Random) -> bytes:
    return content + bytes(rng.randint(1, 5000))


def a_piece_dropped(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.randint(1, 200) :]


def a_piece_doubled(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    return content[: start + rng.randint(1, 200)] + content[start:]


def in_utf_16(content: bytes, _rng: random.Random) -> bytes:
    return content.decode("latin-1").encode("utf-16")


def a_letter_of_latin_1(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    return content[:start] + b"\xe9" + content[start:]


def replaced_by_brackets(_content: bytes, rng: random.Random) -> bytes:
    return rng.choice([b"[" * DEEP, b'{"a":' * DEEP, b"[" * 2000 + b"]" * 2000, b"a = " + b"[" * DEEP])


BYTES = (
    a_bit_flipped,
    a_byte_changed,
    truncated,
    emptied,
    removed,
    replaced_by_a_folder,
    with_zeros_at_its_end,
    a_piece_dropped,
    a_piece_doubled,
    in_utf_16,
    a_letter_of_latin_1,
    replaced_by_brackets,
)


# Changes of values in JSON, and in similar formats


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container with each of its keys."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from _places(tree[key])


Change = Callable[[Any, Any, random.Random], None]


def a_value_changed(tree: Any, key: Any, rng: random.Random) -> None:
    name = rng.choice(list(VALUES))
    tree[key] = f"{RAW}{name}{RAW}" if name in TEXTS else copy.deepcopy(VALUES[name])


def a_number_changed(tree: Any, key: Any, rng: random.Random) -> None:
    old = tree[key] if isinstance(tree[key], int | float) else 1
    tree[key] = rng.choice([-old, old + 1, old * 1e30, 10**400, 0, old / 3])


def a_field_dropped(tree: Any, key: Any, _rng: random.Random) -> None:
    del tree[key]


def a_field_added(tree: Any, key: Any, rng: random.Random) -> None:
    if isinstance(tree, dict):
        tree[rng.choice(["tau", "kind", "a new one", "", "\x1b[31m"])] = rng.choice([1, None, "x"])
    else:
        tree.insert(key, copy.deepcopy(tree[key]))


def a_field_doubled(tree: Any, key: Any, _rng: random.Random) -> None:
    if isinstance(tree, dict):
        tree[f"{RAW}twice{RAW}{key}"] = -1


def as_text(tree: Any) -> str:
    """Return the JSON of a tree, with its raw text."""
    text = json.dumps(tree)
    for name in TEXTS:
        text = text.replace(f'"{RAW}{name}{RAW}"', VALUES[name])
    return text.replace(f"{RAW}twice{RAW}", "")


def _of_document(change: Change) -> Callable[[bytes, random.Random], bytes]:
    def changed(content: bytes, rng: random.Random) -> bytes:
        tree = json.loads(content)
        change(*rng.choice(list(_places(tree))), rng)
        return as_text(tree).encode()

    changed.__name__ = change.__name__
    return changed


def _of_a_line(change: Change) -> Callable[[bytes, random.Random], bytes]:
    def changed(content: bytes, rng: random.Random) -> bytes:
        lines = content.splitlines(keepends=True)
        i = rng.randrange(content.count(b"\n"))  # an incomplete last line is not JSON
        lines[i] = _of_document(change)(lines[i], rng) + b"\n"
        return b"".join(lines)

    changed.__name__ = change.__name__
    return changed


def _of_toml(change: Change) -> Callable[[bytes, random.Random], bytes]:
    def changed(content: bytes, rng: random.Random) -> bytes:
        tree = tomllib.loads(content.decode())
        change(*rng.choice(list(_places(tree))), rng)
        lines = []
        for name, tables in tree.items():
            if isinstance(tables, list) and tables and all(isinstance(table, dict) for table in tables):
                for table in tables:
                    lines += [f"[[{name}]]", *(f"{key} = {as_text(value)}" for key, value in table.items())]
            else:
                lines.append(f"{name} = {as_text(tables)}")
        return "\n".join(lines).replace(f"{RAW}twice{RAW}", "").encode()

    changed.__name__ = change.__name__
    return changed


def _of_tensors(change: Change) -> Callable[[bytes, random.Random], bytes]:
    """Change the header of a safetensors file, in half of the cases its metadata."""

    def changed(content: bytes, rng: random.Random) -> bytes:
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        tree = header["__metadata__"] if rng.random() < 0.5 else header
        change(*rng.choice(list(_places(tree))), rng)
        text = as_text(header).encode()
        return len(text).to_bytes(8, "little") + text + content[8 + length :]

    changed.__name__ = change.__name__
    return changed


def another_t(content: bytes, rng: random.Random) -> bytes:
    """Change only the update in the metadata."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"]["t"] = str(rng.randrange(30))
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


def lines_dropped(content: bytes, rng: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    start = rng.randrange(len(lines))
    return b"".join(lines[:start] + lines[start + rng.randint(1, 3) :])


def lines_swapped(content: bytes, rng: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    rng.shuffle(lines)
    return b"".join(lines)


CHANGES = (a_value_changed, a_number_changed, a_field_dropped, a_field_added, a_field_doubled)

FORMATS = {
    ".json": [_of_document(change) for change in CHANGES],
    ".jsonl": [*(_of_a_line(change) for change in CHANGES), lines_dropped, lines_swapped],
    ".toml": [_of_toml(change) for change in CHANGES],
    ".safetensors": [*(_of_tensors(change) for change in CHANGES), another_t],
}
"""The changes of each format, by the suffix of its files."""
