"""The command `kfgn-check equations`, which prints a table of the paper's 71 equations, or some equations in full."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence

from kfgn_reference import EQUATIONS, Statement, algorithm_1
from kfgn_reference._printed_algorithm import ALGORITHM_1
from kfgn_reference._statements import RemarkKind
from rich.console import Console
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from .equation_functions import Function, name, port_names, quantity_names, reference_functions
from .equation_places import line_of_test, place_of
from .equation_request import Request, requested
from .quantities import ROWS

STYLES = {"Misprint": "red", "Gap": "yellow", "Choice": "cyan", "Note": "none"}
"""The colour of each kind of remark."""

RULE = 80
"""The largest number of characters of the line between two equations."""

NOT_IN_THE_PAPER = "kfgn_reference._safeguards"
"""The module of the reference whose functions are rules of the optimiser that are not in the paper."""


def print_found(sought: Iterable[str], console: Console) -> None:
    """Print the equations that match the search terms `sought`.

    A search term is a number, range, section, name, word or kind of remark. The equations are printed in full if all
    search terms are numbers or ranges, or if only one equation is found. Otherwise the equations are printed as a
    table. Algorithm 1 is printed in full.

    If a search term is a kind of remark, the function prints a table of such remarks instead. The table is about the
    equations that match the other search terms, or about all equations if there are no other search terms.

    Raises `SearchError` if a search term matches no equation.
    """
    request = requested(sought)
    if request.kinds:
        print_remarks(request, console)
        return
    if not request.in_full:
        print_table(console, request.numbers)
    for number in request.numbers if request.in_full else ():
        if number != request.numbers[0]:
            _print_line(console)
        print_equation(number, console)
    if request.algorithm:
        if request.numbers:
            _print_line(console)
        print_algorithm(console)


def _print_line(console: Console) -> None:
    """Print an empty line and a horizontal line of at most `RULE` characters, since a pipe has no width."""
    console.print()
    console.print(Rule(style="dim"), width=min(console.width, RULE))


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


def print_remarks(request: Request, console: Console) -> None:
    """Print a table of the remarks of the requested kinds, each in short and with the number of its equation.

    A summary follows the table. Without such remarks, only the summary is printed.
    """
    statements = {str(n): EQUATIONS[n].statement for n in request.numbers}
    if request.algorithm:
        statements["Alg. 1"] = ALGORITHM_1
    chosen = [
        (place, kind, line)
        for place, statement in statements.items()
        for kind, remark in statement.remarks.items()
        if kind in request.kinds
        for line in in_short(kind, remark)
    ]
    table = _table("remark", "in short")
    for place, kind, line in chosen:
        table.add_row(place, Text(kind, STYLES[kind]), Text(line))
    if chosen:
        console.print(table)
    console.print(_summary(request, chosen))


def _summary(request: Request, chosen: Sequence[tuple[str, RemarkKind, str]]) -> str:
    """Return the text below a table of remarks: the number of remarks of each kind, and where to read them in full."""
    kinds = [kind for _, kind, _ in chosen]
    counts = ((kinds.count(kind), kind.lower()) for kind in request.kinds)
    numbers = sorted({int(place) for place, _, _ in chosen if place.isdecimal()})
    searched = [f"{len(numbers)} of {len(request.numbers)} equations"] if request.numbers else []
    searched += ["Algorithm 1"] if request.algorithm else []
    named = _listed([f"{n} {kind}{'s' * (n != 1)}" for n, kind in counts])
    parts = [f"{named} on {_listed(searched)}."]
    if numbers:
        parts.append(f"`kfgn-check equations {numbers[0]}` prints the remarks on equation {numbers[0]} in full.")
    if not request.algorithm:
        parts.append("`kfgn-check equations algorithm` prints the remarks on Algorithm 1.")
    return " ".join([*parts, "docs/errata.md also has the remarks on the text and on the experiments."])


def _listed(parts: Sequence[str]) -> str:
    """Return the parts as a list in a sentence, such as "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def in_short(kind: str, remark: str) -> list[str]:
    """Return the corrections of a misprint, or the first sentence of a remark of any other kind."""
    if kind == "Misprint":
        return [f"{correction}." for correction in remark.removesuffix(".").split(". ")]
    return re.split(r"(?<=\w[.])\s(?=[A-Z])", remark, maxsplit=1)[:1]


def _table(*heads: str) -> Table:
    """Return an empty table with a column of numbers and a column for each head, in which long lines are folded."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("no.", justify="right")
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def print_equation(number: int, console: Console) -> None:
    """Print an equation: its statement in the paper's notation, the remarks on it, its code and its test.

    The names of the equation's functions in the port and of its quantities in the kit are printed before the test.
    """
    equation = EQUATIONS[number]
    _print_statement(f"({number})", equation.statement, console)
    functions = reference_functions(number)
    of_the_paper = [f for f in functions if f.__module__ != NOT_IN_THE_PAPER]
    beyond = [f for f in functions if f not in of_the_paper]
    for f in of_the_paper:
        _print_function(f, console)
    if beyond:
        console.print(Text("The functions below are rules of the optimiser that are not in the paper.", "bold"))
        console.print()
    for f in beyond:
        _print_function(f, console)
    if port := port_names(number):
        console.print(Text(f"in the port: {', '.join(port)}"), soft_wrap=True)
    if quantities := quantity_names(number):
        console.print(Text(f"as quantities of kfgn-check: {', '.join(quantities)}"), soft_wrap=True)
    console.print(Text(line_of_test(equation.test)), soft_wrap=True)


def print_algorithm(console: Console) -> None:
    """Print Algorithm 1: its lines as in the paper, the remarks on it, its code, its quantities and its test."""
    _print_statement("Algorithm 1:", ALGORITHM_1, console)
    _print_function(algorithm_1, console)
    quantities = [name for name, quantity in ROWS.items() if quantity.equation == "Algorithm 1"]
    console.print(Text(f"as quantities of kfgn-check: {', '.join(quantities)}"), soft_wrap=True)
    console.print(Text(line_of_test("tests/reference/test_algorithm_1.py")), soft_wrap=True)


def _print_statement(label: str, statement: Statement, console: Console) -> None:
    """Print a statement with its title and its place in the paper, and the remarks on it."""
    title = Text(f"{label} {statement.title}", "bold")
    title.append(f"\n{statement.kind}, {statement.place}", "not bold dim")
    for part in (title, Text(textwrap.indent(statement.text, "    "))):
        console.print(part, soft_wrap=True)
        console.print()
    for kind, remark in statement.remarks.items():
        console.print(Text(f"{kind}: ", f"bold {STYLES[kind]}").append(remark, "not bold"))
    if statement.remarks:
        console.print()


def _print_function(f: Function, console: Console) -> None:
    """Print the name, the place, the docstring and the code of a function of the reference."""
    title = Text(f"kfgn_reference.{name(f)}", "bold")
    title.append(f" in {place_of(f)}", "not bold dim")
    title.append(f"\n{textwrap.indent(inspect.getdoc(f) or '', '    ')}", "not bold")
    console.print(title, soft_wrap=True)
    console.print()
    console.print(Syntax(source(f), "python", background_color="default"), soft_wrap=True)
    console.print()


def source(f: Function) -> str:
    """Return the source of a function without the docstring, which is printed separately."""
    lines = inspect.getsource(f).splitlines()
    (function,) = ast.parse("\n".join(lines)).body
    docstring = function.body[0]  # type: ignore[attr-defined]
    return "\n".join(lines[: docstring.lineno - 1] + lines[docstring.end_lineno :])
