"""The prose of the repository's Python files: docstrings, comments and messages, with their places."""

import ast
import inspect
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SOURCES = ("kfgn", "reference/kfgn_reference", "conformance/kfgn_conformance", "conformance/kfgn_pytest")
"""The folders of the packages."""

WORDS_OF_A_COMMENT = 4
WORDS_OF_A_MESSAGE = 4
"""The number of words from which a comment or a string is prose."""

HEADINGS = re.compile(r"^[A-Z][A-Za-z ]*\n-{3,}$", re.MULTILINE)
NOTE = re.compile(r"^ *(noqa(: [A-Z0-9, ]+)?|type: ignore(\[[\w, -]+\])?|pragma: .*|!.*)")
"""A comment for a tool, with the reason after it."""

MARK = re.compile(r"^([*-] |\d+\. )")
NAME = r"[`*\w][\w.`*\[\]]*"
FIELD = re.compile(rf"^{NAME}(, {NAME})*(\s*:(\s|$)|(\([\w, ]*\))?\s{{2,}}\S)")
"""The first line of a parameter or field, such as `X : array (N, D_0)` or `eta:  weight of L2`."""


SIGNATURE = re.compile(rf"^{NAME}\([\w, ]*\)\s")
"""A field of a list that is a function with its arguments, such as `sample(xp, h, draw) labels`."""

COLUMNS = re.compile(r"\S {3,}(?=\S)")
"""The gap between two columns of a table."""

TYPED = re.compile(rf"^ *{NAME}(, {NAME})* : ")
"""A field with its type and no more, as numpydoc writes it."""


class Prose(NamedTuple):
    """A text with its place: the path from the root of the repository, and the line on which it begins.

    kind is "docstring", "comment" or "message".
    """

    path: str
    line: int
    kind: str
    text: str


def python_files(*folders: str) -> list[Path]:
    """The tracked Python files in these folders, or in the whole repository."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in sorted(names) if name.endswith(".py") and (ROOT / name).exists()]


def prose(path: Path) -> list[Prose]:
    """All prose of a file, in the order of its lines."""
    source, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
    tree = ast.parse(source)
    docstrings = list(_docstrings(tree))
    places = {id(node) for node, _ in docstrings}
    found = [Prose(name, node.lineno, "docstring", text) for node, text in docstrings]
    found += [Prose(name, line, "comment", text) for line, text in _comments(source)]
    found += [Prose(name, line, "message", text) for line, text in _messages(tree, places)]
    return sorted(found, key=lambda one: one.line)


def _docstrings(tree: ast.Module) -> Iterator[tuple[ast.Constant, str]]:
    """Every string that stands as a statement: docstrings of modules, classes, functions and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value, inspect.cleandoc(node.value.value)


def _comments(source: str) -> Iterator[tuple[int, str]]:
    """Comments of at least `WORDS_OF_A_COMMENT` words, with consecutive lines joined."""
    begun, last, parts = 0, -1, []
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        row, column = token.start
        pieces = [_unwrapped(NOTE.sub("", piece).strip()) for piece in token.string.strip("#: ").split("#")]
        text = " ".join(piece for piece in pieces if piece)
        if not text:
            continue
        alone = not lines[row - 1][:column].strip()
        if parts and alone and row == last + 1:
            parts.append(text)
        else:
            if parts:
                yield begun, " ".join(parts)
            begun, parts = row, [text]
        last = row if alone else -1
    if parts:
        yield begun, " ".join(parts)


def _unwrapped(text: str) -> str:
    return text[1:-1] if text.startswith("(") and text.endswith(")") else text


def _messages(tree: ast.Module, docstrings: set[int]) -> Iterator[tuple[int, str]]:
    """Strings of at least `WORDS_OF_A_MESSAGE` words, where `{}` replaces a computed part."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside.update(id(part) for part in ast.walk(node) if part is not node)
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | inside:
            text = node.value
        else:
            continue
        if id(node) not in inside and len(_words(text)) >= WORDS_OF_A_MESSAGE and "\n" not in text.strip():
            yield node.lineno, text.strip()


def _words(text: str) -> list[str]:
    """The words between spaces. A dotted name or a path is one word."""
    return [word for word in text.split() if re.search(r"[a-z]{2}|^a$", word)]


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """The paragraphs of prose in a docstring, with the number of lines before them. Equations and code are left out."""
    text = HEADINGS.sub(lambda heading: "\n" * heading[0].count("\n"), text)
    start, lines, depth, in_entries = 0, [], 0, False
    for number, line in enumerate([*text.split("\n"), ""]):
        line = "" if TYPED.match(line) or len(COLUMNS.findall(line)) > 1 else line
        bare, indent = line.strip(), len(line) - len(line.lstrip())
        entry = MARK.match(bare) or FIELD.match(bare) or (in_entries and SIGNATURE.match(bare))
        if lines and (not bare or entry or (indent != depth and depth >= 0)):
            yield from _prose_only(start, lines)
            lines = []
        if bare and not lines:
            start, depth, lines, in_entries = number, -1 if entry else indent, [bare], bool(entry)
        elif bare:
            depth, lines = indent, [*lines, bare]  # the further lines of an entry share an indentation
    yield from _prose_only(start, lines)


def _prose_only(start: int, lines: list[str]) -> Iterator[tuple[int, str]]:
    text = " ".join(lines)
    text = MARK.sub("", text)
    letters = sum(character.isalpha() or character in " .,'" for character in text)
    if len(_words(text)) >= WORDS_OF_A_COMMENT and letters >= 0.75 * len(text) and not text.startswith(">>>"):
        yield start, text


END, END_IN_MARKS, BEGIN = r"(?<=[.!?])", r"(?<=[.!?][)`\"])", r"(?=[(\"]*[`A-Z0-9])"


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph."""
    guarded = re.sub(r"\b(e\.g|i\.e|cf|vs|al|etc|Fig|Eq|Sec)\. ", r"\1.\0", text)
    return [part.replace("\0", " ") for part in re.split(rf"(?:{END}|{END_IN_MARKS})\s+{BEGIN}", guarded)]
