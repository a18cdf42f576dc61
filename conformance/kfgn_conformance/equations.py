"""The command `kfgn-check equations`, which prints a table of the paper's 71 equations, or some equations in full."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable

from kfgn_reference import EQUATIONS
from rich.console import Console
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from .equation_functions import Function, name, port_names, quantity_names, reference_functions
from .equation_search import REMARKS, in_range, matching

STYLES = {"Misprint": "red", "Gap": "yellow", "Choice": "cyan", "Note": "none"}
"""The colour of each kind of remark."""


def print_found(sought: Iterable[str], console: Console) -> None:
    """Print the equations of each text: a number, a range, a section, a name, a word or a kind of remark.

    Equations that are given by numbers are printed in full, and so is the only result of a search. Several results of a
    search are printed as a table. Kinds of remarks alone are printed as a table of these remarks. Raises `SearchError`
    if a text finds no equation.
    """
    texts = list(sought)
    if all(text.lower() in REMARKS for text in texts):
        print_remarks({kind for text in texts for kind in REMARKS[text.lower()]}, console)
        return
    parts = [(in_range(text), text) for text in texts]
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
    table = _table("kind", "title, functions and test")
    for number, equation in chosen.items():
        functions = ", ".join(map(name, reference_functions(number)))
        file = equation.test.partition("::")[0].rpartition("/")[2]
        what = Text(equation.statement.title).append(f"\n{functions}; {file}", "dim")
        table.add_row(str(number), equation.statement.kind, what)
    console.print(table)
    example = next(iter(chosen)) if len(chosen) < len(EQUATIONS) else 26
    console.print(
        f"{len(chosen)} of {len(EQUATIONS)} equations. `kfgn-check equations {example}` prints equation {example} in "
        "full."
    )


def print_remarks(kinds: set[str], console: Console) -> None:
    """Print a row for each remark of the given kinds, with the number of its equation and the start of the remark."""
    remarks = [(n, kind, text) for n, e in EQUATIONS.items() for kind, text in e.statement.remarks.items()]
    chosen = [(n, kind, text) for n, kind, text in remarks if kind in kinds]
    table = _table("remark", "in short")
    for number, kind, text in chosen:
        table.add_row(str(number), Text(kind, STYLES[kind]), Text(in_short(kind, text)))
    console.print(table)
    example = chosen[0][0]
    console.print(
        f"{len(chosen)} remarks on {len({n for n, _, _ in chosen})} of {len(EQUATIONS)} equations. "
        f"`kfgn-check equations {example}` prints those of equation {example} in full. docs/errata.md also has the "
        "remarks on the text and on the experiments."
    )


def in_short(kind: str, remark: str) -> str:
    """Return the first sentence of a remark, or all that a misprint corrects."""
    if kind == "Misprint":
        return remark
    return re.split(r"(?<=\w[.])\s(?=[A-Z])", remark, maxsplit=1)[0]


def _table(*heads: str) -> Table:
    """Return an empty table with a column of numbers, whose last column is folded."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("no.", justify="right")
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def print_equation(number: int, console: Console) -> None:
    """Print an equation: its statement in the paper's notation, the remarks on it, its code and its test."""
    equation = EQUATIONS[number]
    statement = equation.statement

    def show(text: str | Text) -> None:
        console.print(text if isinstance(text, Text) else Text(text), soft_wrap=True)
        console.print()

    show(Text(f"({number}) {statement.title}", "bold").append(f"\n{statement.kind}, {statement.place}", "not bold dim"))
    show(textwrap.indent(statement.text, "    "))
    for kind, remark in statement.remarks.items():
        console.print(Text(f"{kind}: ", f"bold {STYLES[kind]}").append(remark, "not bold"))
    if statement.remarks:
        console.print()
    for f in reference_functions(number):
        show(
            Text(f"kfgn_reference.{name(f)}", "bold").append(
                f"\n{textwrap.indent(inspect.getdoc(f) or '', '    ')}", "not bold"
            )
        )
        console.print(Syntax(source(f), "python", background_color="default"), soft_wrap=True)
        console.print()
    if port := port_names(number):
        console.print(Text(f"in the port: {', '.join(port)}"), soft_wrap=True)
    if quantities := quantity_names(number):
        console.print(Text(f"as quantities of kfgn-check: {', '.join(quantities)}"), soft_wrap=True)
    console.print(Text(f"tested by {equation.test}"), soft_wrap=True)


def source(f: Function) -> str:
    """Return the source of a function without the docstring, which is printed separately."""
    lines = inspect.getsource(f).splitlines()
    (function,) = ast.parse("\n".join(lines)).body
    docstring = function.body[0]  # type: ignore[attr-defined]
    return "\n".join(lines[: docstring.lineno - 1] + lines[docstring.end_lineno :])
