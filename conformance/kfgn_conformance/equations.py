"""The command `kfgn-check equations`, which prints a table of the paper's 71 equations, or some equations in full."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from kfgn_reference import EQUATIONS
from rich.console import Console
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from .equation_search import in_range, matching


def print_found(sought: Iterable[str], console: Console) -> None:
    """Print the equations of each text: a number, a range, a section, a name or a word of a title.

    Equations that are given by numbers are printed in full, and so is the only result of a search. Several results of a
    search are printed as a table. Raises `SearchError` if a text finds no equation.
    """
    parts = [(in_range(text), text) for text in sought]
    numbers = list(dict.fromkeys(number for given, text in parts for number in given or matching(text)))
    if all(given for given, _ in parts) or len(numbers) == 1:
        for number in numbers:
            if number != numbers[0]:
                console.print()
                console.print(Rule(style="dim"))
            print_equation(number, console)
    else:
        print_table(console, numbers)


def print_table(console: Console, numbers: Iterable[int] = EQUATIONS) -> None:
    """Print a table with the number, kind and title of each equation, its functions and the file of its test.

    numbers: the numbers of the equations; by default all of them
    """
    chosen = {number: EQUATIONS[number] for number in numbers}
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("no.", justify="right")
    table.add_column("kind")
    table.add_column("title, functions and test", overflow="fold")
    for number, equation in chosen.items():
        functions = ", ".join(name(f) for f in equation.functions)
        file = equation.test.partition("::")[0].rpartition("/")[2]
        what = Text(equation.statement.title).append(f"\n{functions}; {file}", "dim")
        table.add_row(str(number), equation.statement.kind, what)
    console.print(table)
    example = next(iter(chosen)) if len(chosen) < len(EQUATIONS) else 26
    console.print(
        f"{len(chosen)} of {len(EQUATIONS)} equations. `kfgn-check equations {example}` prints equation {example} in "
        "full."
    )


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
        console.print(Text(f"{label_of(statement.misprint)}: {statement.misprint}", "yellow"))
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


def label_of(remark: str) -> str:
    """Return "Note" for a remark on an equation that is correct as printed, and "Misprint or gap" for any other."""
    return "Note" if remark.startswith("The equation is correct as printed") else "Misprint or gap"


def name(f: Callable[..., Any]) -> str:
    """Return the name of a function with the name of its module, without the package."""
    return f"{f.__module__.rpartition('.')[2]}.{f.__name__}"


def source(f: Callable[..., Any]) -> str:
    """Return the source of a function without the docstring, which is printed separately."""
    lines = inspect.getsource(f).splitlines()
    (function,) = ast.parse("\n".join(lines)).body
    docstring = function.body[0]  # type: ignore[attr-defined]
    return "\n".join(lines[: docstring.lineno - 1] + lines[docstring.end_lineno :])
