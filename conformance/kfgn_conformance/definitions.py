"""The definitions of functions, classes and constants, and the definitions that each of them can reach.

`Code` reads the source of modules and runs none of them. A definition reaches all definitions whose names occur in its
statements, in its annotations or in its imports, or are equal to one of its strings. By these rules, a definition
reaches everything that it uses, and possibly more:

* A function whose name occurs is reached, even if it is never called.
* A method is reached together with its class. The class of an argument is reached, since the name of the class
  occurs either in the code that makes the argument or in an annotation.
* A module is reached with all its definitions, except that an attribute such as `ref.kfra` reaches only the definition
  of the attribute.
* Every definition reaches the statements of its module that may do more at import than define names, such as a
  statement that adds an entry to a dictionary. Every definition also reaches the statements of this kind in all modules
  that its module imports, directly or indirectly.
"""

import ast
import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from .statements import is_docstring, statements

PURE = frozenset({"cache", "dataclass", "once_per_problem"})
"""The decorators that change nothing except the definition that they decorate."""

NAMES = (ast.Name, ast.Tuple, ast.Store)
"""The classes of the syntax-tree nodes in the target of an assignment if the target is a name or a tuple of names."""

EVERYTHING, AT_IMPORT = "*", ""
"""Two special names in a `Key`. "*" means all definitions of a module.

"" means all statements of the module that may do more at import than define names.
"""


class Source(NamedTuple):
    """The source of a module.

    package: the name of the package from which relative imports start
    """

    text: str
    package: str


class Key(NamedTuple):
    """A definition by its module and its name."""

    module: str
    name: str


Link = tuple[str, Key]
"""A name as it occurs in a statement, with the definition that it refers to."""


class Module(NamedTuple):
    """The definitions of a module.

    nodes:   the statements of each definition, by name; the name "" has the statements that may do more at import than
             define names
    imports: the module and the name of each imported definition, by its name in this module; an imported module has the
             name "*"
    """

    nodes: dict[str, list[ast.AST]]
    imports: dict[str, Key]


class Code:
    """The definitions in modules whose source `read` returns. `read` returns None for a module that is not followed."""

    def __init__(self, read: Callable[[str], Source | None]) -> None:
        self.read = read
        self.module = cache(self._module)
        self.links = cache(self._links)
        self.next = cache(self._next)
        self.hash_of = cache(self._hash_of)

    def _module(self, name: str) -> Module | None:
        source = self.read(name)
        if source is None:
            return None
        found = Module({AT_IMPORT: []}, {})
        for node in tree_of(source.text).body:
            loose = _runs_at_import(node)
            if loose and not is_docstring(node):
                found.nodes[AT_IMPORT].append(node)
            for part in ast.walk(node) if loose else [node]:
                found.imports.update(self._imported(part, source.package))
                for defined in _defined(part):
                    found.nodes.setdefault(defined, []).append(node)
        return found

    def _imported(self, node: ast.AST, package: str) -> Iterator[tuple[str, Key]]:
        """Yield the names that an import statement defines, with the definitions or modules that they refer to."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or whole, Key(whole, EVERYTHING)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*parents, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{origin}.{alias.name}"
                key = Key(whole, EVERYTHING) if self.read(whole) else Key(origin, alias.name)
                yield alias.asname or alias.name, key

    def resolved(self, key: Key) -> Key | None:
        """Follow imports to the definition of a name. The result is None for a name that no module defines."""
        module = self.module(key.module)
        if module is None or key.name in module.nodes or key.name == EVERYTHING:
            return key if module else None
        if key.name in module.imports:
            return self.resolved(module.imports[key.name])
        whole = f"{key.module}.{key.name}"
        return Key(whole, EVERYTHING) if self.read(whole) else None

    def uses(self, node: ast.AST, module: str) -> Iterator[Link]:
        """Yield the names in a syntax tree of a module that refer to definitions, each with its definition."""
        for part in names_in(node):
            if isinstance(part, str):
                yield from self._link(part, Key(module, part))
            elif isinstance(part, tuple):
                name, attribute = part
                of = self.resolved(Key(module, name))
                if of is not None and of.name == EVERYTHING:
                    yield from self._link(f"{name}.{attribute}", Key(of.module, attribute))
                else:
                    yield from self._link(name, Key(module, name))
            else:
                source = self.read(module)
                for name, key in self._imported(part, source.package if source else ""):
                    yield from self._link(name, key)

    def _link(self, name: str, key: Key) -> Iterator[Link]:
        found = self.resolved(key)
        if found is not None:
            yield name, found

    def _links(self, key: Key) -> tuple[Link, ...]:
        """Return the names in a definition that refer to definitions, each with its definition."""
        module = self.module(key.module)
        if module is None:
            return ()
        if key.name == EVERYTHING:
            names = (*module.nodes, *module.imports)
            return tuple(link for name in names for link in self._link(name, Key(key.module, name)))
        return tuple(sorted({link for node in module.nodes[key.name] for link in self.uses(node, key.module)}))

    def reached(self, roots: Iterable[Key]) -> set[Key]:
        """Return the definitions that `roots` reach, with the roots themselves."""
        found: set[Key] = set()
        waiting = list(roots)
        while waiting:
            key = waiting.pop()
            if key not in found:
                found.add(key)
                waiting += self.next(key)
        return found

    def _next(self, key: Key) -> tuple[Key, ...]:
        """Return the definitions that a definition reaches directly."""
        return (*(to for _, to in self.links(key)), *self._at_import(key))

    def _at_import(self, key: Key) -> Iterator[Key]:
        """Yield the key of the statements that may do more at import than define names, in the definition's module.

        If `key` is this key, the keys of the statements of this kind in the imported modules are also yielded.
        """
        yield Key(key.module, AT_IMPORT)
        module = self.module(key.module)
        if module is not None and key.name == AT_IMPORT:
            origins = {of.module for of in module.imports.values()}
            yield from (Key(origin, AT_IMPORT) for origin in origins if self.module(origin))

    def _hash_of(self, key: Key) -> str:
        """Compute the hash of the statements and links of a definition, or "" for a definition without statements."""
        module = self.module(key.module)
        nodes = module.nodes.get(key.name, []) if module else []
        return self.hash_of_nodes(nodes, self.links(key)) if nodes else ""

    @staticmethod
    def hash_of_nodes(nodes: Iterable[ast.AST], links: Iterable[Link]) -> str:
        """Compute the hash of statements and of their links. The definitions to which the links lead are not hashed."""
        parts = [part for node in nodes for part in statements_of(node)]
        return digest(*parts, *(f"{name} = {to.module}:{to.name}" for name, to in sorted(links)))

    def hash_of_all(self, keys: Iterable[Key]) -> str:
        """Compute one hash of several definitions."""
        hashes = ((key, self.hash_of(key)) for key in sorted(keys))
        return digest(*(f"{key.module}:{key.name} {found}" for key, found in hashes if found))


@cache
def tree_of(text: str) -> ast.Module:
    """Parse a source text. The tree is cached, since the results of `names_in` and `statements_of` are cached by node.

    No caller may change the tree.
    """
    return ast.parse(text)


@cache
def statements_of(node: ast.AST) -> tuple[str, ...]:
    """Return the names and values in a syntax tree on which the results of the code depend."""
    return tuple(statements(node))


@cache
def names_in(node: ast.AST) -> tuple[str | tuple[str, str] | ast.stmt, ...]:
    """Return everything in a syntax tree that may refer to a definition.

    These are names, strings that may be names, attributes of a name as pairs of the name and the attribute, and import
    statements.
    """
    return tuple(_names_in(node))


def _names_in(node: ast.AST) -> Iterator[str | tuple[str, str] | ast.stmt]:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        yield node.value.id, node.attr
        return
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
        yield node.value
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield node
    for part in ast.iter_child_nodes(node):
        yield from _names_in(part)


def _defined(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement defines, except by an import."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


def _runs_at_import(node: ast.stmt) -> bool:
    """True if the statement may do more at import than define names."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return not all(_name(decorator) in PURE for decorator in node.decorator_list)
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return not all(isinstance(part, NAMES) for target in targets for part in ast.walk(target))
    return not isinstance(node, ast.Import | ast.ImportFrom)


def _name(decorator: ast.expr) -> str:
    """The name of a decorator, which may be called with arguments, or "" for an attribute such as `functools.cache`."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    return node.id if isinstance(node, ast.Name) else ""


def digest(*texts: str) -> str:
    """Compute a hash of texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
