"""The command `kfgn-check equations`, which prints a table of the paper's 71 equations, or one equation in full."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from kfgn_reference import EQUATIONS
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text


def print_table(console: Console) -> None:
    """Print a table with the number, kind and title of each equation, its functions and the file of its test."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("no.", justify="right")
    table.add_column("kind")
    table.add_column("title, functions and test", overflow="fold")
    for number, equation in EQUATIONS.items():
        functions = ", ".join(name(f) for f in equation.functions)
        file = equation.test.partition("::")[0].rpartition("/")[2]
        what = Text(equation.statement.title).append(f"\n{functions}; {file}", "dim")
        table.add_row(str(number), equation.statement.kind, what)
    console.print(table)
    console.print(f"{len(EQUATIONS)} of 71 equations. `kfgn-check equations 26` prints equation 26 in full.")


def print_equation(number: int, console: Console) -> None:
    """Print an equation: its statement in the paper's notation, its misprint, and the source of its functions."""
    equation = EQUATIONS[number]
    statement = equation.statement
    place = statement.section if statement.section.startswith("Appendix") else f"Section {statement.section}"

    def show(text: str | Text, style: str = "") -> None:
        console.print(text if isinstance(text, Text) else Text(text, style), soft_wrap=True)
        console.print()

    show(Text(f"({number}) {statement.title}", "bold").append(f"\n{statement.kind}, {place}", "not bold dim"))
    show(textwrap.indent(statement.text, "    "))
    if statement.misprint:
        console.print(Text(f"Misprint: {statement.misprint}", "yellow"))
        console.print()
    for f in equation.functions:
        show(
            Text(f"kfgn_reference.{name(f)}", "bold").append(
                f"\n{textwrap.indent(inspect.getdoc(f) or '', '    ')}", "not bold"
            )
        )
        console.print(Syntax(source(f), "python", background_color="default"), soft_wrap=True)
        console.print()
    console.print(Text(f"tested by {equation.test}"), soft_wrap=True)


def name(f: Callable[..., Any]) -> str:
    """Return the name of a function with the name of its module, without the package."""
    return f"{f.__module__.rpartition('.')[2]}.{f.__name__}"


def source(f: Callable[..., Any]) -> str:
    """Return the source of a function without the docstring, which is printed separately."""
    lines = inspect.getsource(f).splitlines()
    (function,) = ast.parse("\n".join(lines)).body
    docstring = function.body[0]  # type: ignore[attr-defined]
    return "\n".join(lines[: docstring.lineno - 1] + lines[docstring.end_lineno :])
