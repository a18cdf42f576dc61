"""Rules for docstrings that a program can check: `python -m tests.house.check_docstrings`.

first-word   the first word is none of `FIRST_WORDS`: a docstring begins with a noun phrase or an imperative
unfinished   no docstring is empty or says that it is still to be written
semicolons   a sentence has at most one semicolon, except between the parts of a list after a colon
long         a sentence has at most `WORDS` words
private      no docstring, comment or message has a word of `PRIVATE`, where an established term exists for each
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from .prose import SOURCES, Prose, paragraphs, prose, python_files, sentences

FIRST_WORDS = {
    *("What", "Whatever", "Who", "Whoever", "Whom", "Whose", "How", "Which", "Where", "Wherever", "Whether", "When"),
    *("Those", "That", "Of", "It", "Its", "They"),
}
"""Words that begin a clause without a noun, or a pronoun whose noun is elsewhere."""

WORDS = 45

PRIVATE = {
    "anew": "again, recomputed",
    "asked of": "run on, supported by",
    "at hand": "available",
    "beside": "next to, with",
    "bent": "f''(h) dE/da",
    "but for": "except",
    "goes on": "continues",
    "has come": "was given",
    "held against": "compared with",
    "is owed": "is expected",
    "leaves behind": "intermediate results",
    "mended": "unexpectedly passing",
    "no more so": "unexpectedly passing",
    "on the way": "intermediate",
    "stand for": "replace",
    "stands for": "replaces",
    "told": "reported",
    "was owed": "was expected",
}
"""Words and phrases of no field, and the established terms for them. CONTRIBUTING.md has the whole glossary."""

EXAMPLES = ("check_docstrings.py", "test_prose.py")
"""The files that hold these words and faults on purpose."""

ENDINGS = {"of its own": "separate", "of their own": "separate"}
"""Phrases that are fine before a noun."""

PHRASES = re.compile(
    rf"(?<![\w`.])((?:{'|'.join(map(re.escape, PRIVATE))})(?![\w`])|(?:{'|'.join(ENDINGS)})(?! ?[\w`]))", re.IGNORECASE
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|TBD)\b")


class Fault(NamedTuple):
    """A rule that a text breaks, with its place."""

    path: str
    line: int
    rule: str
    text: str

    @property
    def room(self) -> str:
        """The folder of the file, at most three levels deep."""
        *folders, _ = self.path.split("/")
        return "/".join(folders[:3]) or "."


def faults(one: Prose) -> Iterator[Fault]:
    """The faults of one text."""

    def fault(rule: str, text: str, below: int = 0) -> Fault:
        return Fault(one.path, one.line + below, rule, text)

    if one.kind == "docstring":
        first = re.match(r"\w+", one.text)
        if first and first[0] in FIRST_WORDS:
            yield fault("first-word", one.text.partition("\n")[0])
        if not one.text.strip() or UNFINISHED.search(one.text):
            yield fault("unfinished", one.text.partition("\n")[0])
    for below, paragraph in paragraphs(one.text) if not _is_code(one) else ():
        for sentence in sentences(paragraph):
            if _clauses(_without_code(sentence)) > 2:
                yield fault("semicolons", sentence, below)
            if len(sentence.split()) > WORDS:
                yield fault("long", sentence, below)
    for phrase in PHRASES.finditer(one.text):
        below = one.text[: phrase.start()].count("\n")
        line = one.text.split("\n")[below].strip()
        yield fault("private", f"{phrase[0]!r} for {(PRIVATE | ENDINGS)[phrase[0].lower()]!r}: {line}", below)


def _is_code(one: Prose) -> bool:
    """True for a string that is a program or a command."""
    return one.kind == "message" and re.search(r"\w\(|\w = |^SELECT|<\w+>", one.text) is not None


def _clauses(sentence: str) -> int:
    """The number of clauses between semicolons. The parts of a list after a colon are no clauses."""
    return sentence.partition(":")[0].count(";") + 1


def _without_code(text: str) -> str:
    return re.sub(r"`[^`]*`", "", text)


def main(argv: list[str] | None = None) -> int:
    """Print each fault, or their number in each folder, and return 1 if there are any."""
    parser = argparse.ArgumentParser(description="Check docstrings, comments and messages for the rules of style.")
    parser.add_argument("--summary", action="store_true", help="print the number of faults of each rule by folder")
    parser.add_argument("folders", nargs="*", default=[*SOURCES, "tests", "benchmarks", "docs", "noxfile.py"])
    options = parser.parse_args(argv)
    files = [path for path in python_files(*options.folders) if path.name not in EXAMPLES]
    found = [fault for path in files for one in prose(path) for fault in faults(one)]
    if options.summary:
        for (room, rule), number in sorted(Counter((fault.room, fault.rule) for fault in found).items()):
            print(f"{number:5}  {rule:12}  {room}")
    else:
        for fault in found:
            print(f"{fault.path}:{fault.line}: {fault.rule}: {fault.text}")
    print(f"{len(found)} faults in {len(files)} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
