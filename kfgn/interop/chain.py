"""The chain of layers that a forward method computes, found by `torch.fx`, and the errors for any other forward.

A function such as `F.relu` is replaced by the module that computes this function, so that the checks of modules apply.
"""

import operator
import traceback
from pathlib import PurePath
from typing import Any, NamedTuple, NoReturn

from torch import fx, nn

from .functions import FUNCTIONS, MODULES
from .modules import KNOWN, WEIGHTED, check_known, computes_as, described, unwrapped

Leaf = tuple[str, nn.Module]
"""A module of the chain, after the name that error messages use for this module."""

HINTS = {
    "add": "a residual connection or another sum is not a chain of layers",
    "cat": "a concatenation is not a chain of layers",
    "mul": "put a constant factor into the weights of a layer",
    "linear": "use an nn.Linear",
}
"""A dictionary from the `_plain_name` of an unsupported operation to the advice in the error message."""


class _Tracer(fx.Tracer):  # type: ignore[misc]
    """A tracer that enters Sequentials and modules with a custom forward, and records any other module as one node."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:  # noqa: ARG002
        if computes_as(m, *KNOWN):
            return True
        return type(m).__module__.startswith("torch.") and not computes_as(m, nn.Sequential)

    def create_node(self, *arguments: Any, **options: Any) -> fx.Node:
        node = super().create_node(*arguments, **options)
        node.meta[PLACE] = _calling_line()
        return node


PLACE = "kfgn place"
"""The key in the metadata of a node, under which the tracer stores the file and the line of the operation."""


def _calling_line() -> str:
    """Return the file and the line of the user's code that `chain` is tracing.

    The text is empty if only code of PyTorch is being traced, such as that of an `nn.Sequential`.
    """
    for frame, line in traceback.walk_stack(None):
        file = PurePath(frame.f_code.co_filename)
        if str(file) == __file__ and frame.f_code.co_name == "chain":
            return ""
        if str(file) != __file__ and "torch" not in file.parts:
            return f"{file.name} line {line}"
    return ""


class _View(NamedTuple):
    """A reshape to (N, D). The attribute `at` names the reshape in error messages."""

    at: str
    D: int


def chain(module: nn.Module, prefix: str) -> list[Leaf]:
    """Return the modules that a forward method applies one after the other, each with its name in error messages.

    prefix: the path of the module with a final dot: "module." for the whole model

    Raises `TypeError` for an unsupported module or operation, a branch, two inputs, or a forward that depends on data.
    Raises `ValueError` for a layer with weights that is used twice, and for a reshape to (N, D) if the next layer with
    weights is not a Linear with D inputs.
    """
    name = prefix.removesuffix(".")
    try:
        graph = _Tracer().trace(module)
    except Exception as error:  # the forward of the user may raise any exception on a proxy
        raise TypeError(_untraceable(module, name, error)) from error
    return _Reader(module, name, prefix).read(graph)


class _Reader:
    """A reader of a graph, node by node. The attribute `here` is the last node of the chain so far."""

    def __init__(self, module: nn.Module, name: str, prefix: str) -> None:
        self.module, self.name, self.prefix = module, name, prefix
        self.here: fx.Node | None = None
        self.leaves: list[Leaf] = []
        self.view: _View | None = None
        code = type(module).forward.__code__
        self.forward = f", {PurePath(code.co_filename).name} line {code.co_firstlineno}"
        self.used: set[str] = set()

    def read(self, graph: fx.Graph) -> list[Leaf]:
        self.check_modules(graph)
        for node in graph.nodes:
            if node.op == "placeholder":
                if self.here is not None:
                    self.refuse(node, f"a second input, {node.name}", "a kfgn network has the input X alone")
                self.here = node
            elif node.op == "output":
                if node.args[0] is not self.here:
                    self.refuse(
                        node,
                        "outputs that are not the result of the last operation",
                        "return the outputs of the last Linear",
                    )
            elif not _is_size(node):
                self.step(node)
        return self.leaves

    def check_modules(self, graph: fx.Graph) -> None:
        """Raise `TypeError` for an unsupported module.

        Modules are checked before operations, so that the error is not about an operation that the unsupported module
        needs, such as `unsqueeze`.
        """
        for node in graph.nodes:
            if node.op == "call_module":
                check_known(f"{self.prefix}{node.target}", unwrapped(self.module.get_submodule(str(node.target))))

    def step(self, node: fx.Node) -> None:
        """Append the module of a node, after a check that the node has the input `here` alone, not counting sizes.

        A size is a value such as x.size(0).
        """
        inputs = [argument for argument in node.all_input_nodes if not _is_size(argument)]
        if node.op == "get_attr" or len(inputs) > 1:
            self.refuse(node, self.operation(node), HINTS.get(_plain_name(node), "an operation must have one input"))
        if inputs != [self.here]:
            self.refuse(node, f"{self.operation(node)} of an earlier value", "a branch is not a chain of layers")
        self.append(node)
        self.here = node

    def append(self, node: fx.Node) -> None:
        if node.op == "call_module":
            leaf = self.module.get_submodule(str(node.target))
            path = f"{self.prefix}{node.target}"
            if len(node.args) + len(node.kwargs) > 1:
                self.refuse(node, f"{path} with further arguments", "a layer has one input")
            if isinstance(leaf, WEIGHTED):
                self.use(path, leaf, node)
            self.leaves.append((path, leaf))
        elif _plain_name(node) in ("view", "reshape"):
            self.reshape(node)
        elif node.op == "call_method" or node.target in FUNCTIONS:
            self.call(node)
        else:
            self.refuse(node, self.operation(node), HINTS.get(_plain_name(node), ""))

    def use(self, path: str, leaf: Any, node: fx.Node) -> None:
        """Check that a layer is used once, and that a layer after a reshape to (N, D) is a Linear with D inputs."""
        if path in self.used:
            kind = type(leaf).__name__
            raise ValueError(f"{path}: expected a {kind} that is used once, got a second use{_place(node)}")
        self.used.add(path)
        if self.view is not None and not isinstance(leaf, nn.Linear):
            raise ValueError(
                f"{self.view.at}: expected a Linear after a reshape to (N, D), got a {type(leaf).__name__}"
            )
        if self.view is not None and (came := leaf.weight.shape[-1]) != self.view.D:
            raise ValueError(
                f"{self.view.at}: expected a reshape of (N, D) to itself, got D = {self.view.D} before a Linear with "
                f"{came} inputs"
            )
        self.view = None

    def call(self, node: fx.Node) -> None:
        """Append the module that computes the function or method of a node."""
        make = MODULES.get(_plain_name(node))
        try:
            options = {name: value for name, value in node.kwargs.items() if name != "input"}
            leaf = None if make is None else make(*node.args[1:], **options)
        except TypeError:
            leaf = None
        if leaf is None:
            self.refuse(node, self.operation(node), HINTS.get(_plain_name(node), ""))
        else:
            self.leaves.append((self.at(node), leaf))

    def reshape(self, node: fx.Node) -> None:
        """Append a Flatten for a reshape to (N, D), after a check of its sizes.

        The first size is -1 or the size of the batch, and the second size is -1 or D. At most one of the two is -1.
        """
        shape = node.args[1:]
        shape = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        first, *others = shape or (None,)
        if len(others) != 1 or not (first == -1 or isinstance(first, fx.Node)) or not isinstance(others[0], int):
            self.refuse(node, self.operation(node), "use flatten(1)")
        D = int(str(others[0]))
        if D == first == -1 or (D == -1 and not isinstance(first, fx.Node)):
            self.refuse(node, self.operation(node), "use flatten(1)")
        if D != -1:
            self.view = _View(self.at(node), D)
        self.leaves.append((self.at(node), nn.Flatten()))

    def at(self, node: fx.Node) -> str:
        """The name of an operation in error messages."""
        return f"{self.name} ({_plain_name(node)}{_place(node)})"

    def operation(self, node: fx.Node) -> str:
        if node.op != "get_attr":
            return str(_plain_name(node))
        kind = "parameter" if node.target in dict(self.module.named_parameters()) else "value"
        return f"the {kind} {node.target} outside of a layer"

    def refuse(self, node: fx.Node, what: str, hint: str) -> NoReturn:
        advice = f"; {hint}" if hint else ""
        raise TypeError(
            f"{self.name}: expected a chain of layers and activations, got {described(self.module)} with {what}"
            f"{_place(node) or self.forward}{advice}"
        )


def _is_size(node: fx.Node) -> bool:
    """Return True for a size of a value, such as x.size(0), x.shape or x.shape[0]."""
    if node.op == "call_method":
        return bool(node.target == "size")
    if node.op != "call_function":
        return False
    if node.target is getattr:
        return bool(node.args[1] == "shape")
    first = node.args[0] if node.args else None
    return node.target is operator.getitem and isinstance(first, fx.Node) and _is_size(first)


def _plain_name(node: fx.Node) -> str:
    """Return the common name of equal functions and methods: `relu` also for `relu_`, and `add` also for `iadd`."""
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
    name = name.strip("_")
    return {"iadd": "add", "imul": "mul", "concat": "cat", "concatenate": "cat"}.get(name, name)


def _place(node: fx.Node) -> str:
    """Return a comma with the file and the line of a node; an empty text if the node has no line."""
    return f", {place}" if (place := node.meta.get(PLACE)) else ""


def _untraceable(module: nn.Module, name: str, error: Exception) -> str:
    """Return the message for a forward that torch.fx cannot trace, with the first line of the text of the error."""
    calls = [c for c in traceback.extract_tb(error.__traceback__) if "torch" not in PurePath(c.filename).parts]
    calls = [c for c in calls if c.filename != __file__]
    place = f", {PurePath(calls[-1].filename).name} line {calls[-1].lineno}" if calls else ""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return (
        f"{name}: expected an nn.Sequential, or a forward that torch.fx can trace and whose layers have PyTorch's own "
        f"forward, got {described(module)}{place}: {reason}; a forward must not depend on the values or the sizes of X"
    )
