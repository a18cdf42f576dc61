"""The commands of `kfgn-check` and their options."""

import argparse

from .adapters.kfgn_port import VERSION
from .option_parts import Commands, add_drawing, examples, path
from .output import Parser, PrintVersion
from .run_options import add_run


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    top = Parser(
        prog="kfgn-check",
        description="Compare implementations of K-FAC, KFLR, KFRA and related methods with the reference, or print the "
        "paper's equations. Without a command, kfgn-check does the same as kfgn-check run.",
        epilog=examples(
            ("", "Compare kfgn on every usable backend with the reference."),
            (
                "--adapter mine:Mine",
                "Compare your implementation, by the adapter Mine in mine.py.",
            ),
            ("equations KFRA", "Print the equations of a method."),
            ("run --help", "Print all options of a run."),
        ),
    )
    top.add_argument(
        "--version",
        action=PrintVersion,
        nargs=0,
        const=f"kfgn-check {VERSION}",
        default=argparse.SUPPRESS,
        help="Print the version and exit.",
    )
    commands = top.add_subparsers(dest="command", required=True)
    add_run(commands)
    _add_report(commands)
    _add_certify(commands)
    _add_vectors(commands)
    _add_equations(commands)
    commands.add_parser(
        "mistakes",
        help="Print the catalogue of known mistakes.",
        description="Print the name and the description of each known mistake, and a library that made the mistake if "
        "such a library is known. The diagnosis of wrong answers uses these names.",
        epilog=examples(("mistakes", "Print the catalogue.")),
    )
    return top


def _add_report(commands: "Commands[Parser]") -> None:
    report = commands.add_parser(
        "report",
        help="Put the reports of several runs on one page.",
        description="Put reports that were written with --jsonl on one page of HTML, with their columns side by side.",
        epilog=examples(
            ("report cpu.jsonl gpu.jsonl --html page.html", "Put the reports of two machines on one page."),
            after="Exit status: 0 if the page was written, 2 for wrong usage or a file that is not a report, 4 if the "
            "page could not be written.",
        ),
    )
    report.add_argument("reports", nargs="+", type=path, metavar="JSONL", help="Read these reports.")
    report.add_argument("--html", type=path, metavar="FILE", required=True, help="Write the page to this file.")


def _add_certify(commands: "Commands[Parser]") -> None:
    certify = commands.add_parser(
        "certify",
        help="Measure the accuracy of the reference.",
        description="Compare the reference in float64 with the reference in ball arithmetic of 256 bits, on random "
        "problems and on the fixed problems with shared weights.",
        epilog=examples(
            ("certify --examples 20", "Measure the accuracy on 20 random problems."),
            after="Exit status: 0 if every ratio error / tolerance is at most 1, 1 if a ratio is above 1, 2 for wrong "
            "usage, 3 if a quantity was compared on no problem, 4 if standard output could not be written. The status "
            "is also 2 if python-flint is not installed.",
        ),
    )
    add_drawing(certify, default=200, least=1)


def _add_vectors(commands: "Commands[Parser]") -> None:
    vectors = commands.add_parser(
        "vectors",
        help="List, verify or regenerate the golden vectors: problems with certified values, for any language.",
        description="Golden vectors are files of JSON, whose format is described in docs/vectors.md.",
        epilog=examples(
            ("vectors list", "Print a line for each vector that ships with kfgn."),
            ("vectors verify my_vectors", "Compare the vectors of a folder with the reference."),
            after="Exit status: 0 for success, 1 if verify finds a fault, 2 for wrong usage, if list finds a "
            "malformed file, or if regenerate does not find python-flint, 4 if a file or standard output could not be "
            "written.",
        ),
    )
    vectors.add_argument(
        "action",
        choices=("list", "verify", "regenerate"),
        help="list: print a line for each vector. verify: compute the vectors again, and compare them with the files. "
        "regenerate: compute kfgn's own vectors in ball arithmetic, and write their files.",
    )
    vectors.add_argument(
        "folder",
        nargs="?",
        type=path,
        help="The folder of the files to list, to verify or to write. The default is the folder of kfgn's own vectors.",
    )


def _add_equations(commands: "Commands[Parser]") -> None:
    equations = commands.add_parser(
        "equations",
        help="Print the paper's 71 equations.",
        description="Print a table of the paper's numbered equations, or some equations in full: the statement, the "
        "remarks, the code of the reference, the functions of kfgn, the quantities of kfgn-check and the test. Numbers "
        "and ranges print equations in full. The words misprints, gaps, choices and notes print a table of remarks. "
        "Any other search that finds several equations prints a table of these equations.",
        epilog=examples(
            ("equations 26", "Print equation 26 with its code."),
            ("equations 26-31", "Print six equations."),
            ("equations kfra_blocks", "Find the equations of a quantity, a method or a function."),
            ("equations damping", "Find the equations of a topic."),
            ("equations C.1", "Find the equations of a section."),
            ("equations algorithm", "Print Algorithm 1 with the remarks on it."),
            ("equations misprints", "List the misprints and gaps of the paper, one on a line."),
            ("equations misprints C.1", "List the misprints and gaps of one section."),
            after="A topic is a word or words of a title, of a section's title, of an equation, of its keywords or of "
            "the name of a function, in upper or lower case. With several arguments, the command finds every equation "
            "that at least one argument finds. A remark on an equation is a misprint, a gap, a choice or a note. Each "
            "of the words misprints, gaps, choices and notes lists the remarks of its kind on the equations of the "
            "other arguments. The word misprints lists gaps too.",
        ),
    )
    equations.add_argument(
        "equations",
        nargs="*",
        metavar="EQUATION",
        help="Print these equations: a number, a range, a section, a name, a topic, algorithm, or a kind of remark "
        "such as misprints.",
    )
