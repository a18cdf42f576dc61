"""Draw random sentences of the packages for a reader: `python -m tests.house.sample_sentences`.

The sentences are those of docstrings, of comments and of messages. The hash of the commit is the seed, so that a draw
can be repeated, and each commit has another one. The reader marks every sentence that needs a second reading.
"""

import argparse
import random
import subprocess
import sys

from .prose import ROOT, SOURCES, Prose, paragraphs, prose, python_files, sentences


def all_sentences(folders: tuple[str, ...] = SOURCES) -> list[Prose]:
    """Every sentence below these folders, in the order of files and lines."""
    return [
        Prose(one.path, one.line + below, one.kind, sentence)
        for path in python_files(*folders)
        for one in prose(path)
        for below, paragraph in paragraphs(one.text)
        for sentence in sentences(paragraph)
    ]


def sample(found: list[Prose], seed: str, count: int) -> list[Prose]:
    """`count` of the sentences, or all if there are fewer, by a generator with this seed."""
    return random.Random(seed).sample(found, min(count, len(found)))


def main(argv: list[str] | None = None) -> int:
    """Print the sample, a number, a place and a sentence for each."""
    parser = argparse.ArgumentParser(description="Draw random sentences of docstrings, comments and messages.")
    parser.add_argument("folders", nargs="*", default=list(SOURCES), help="the folders, by default the four packages")
    parser.add_argument("--count", type=int, default=100, help="the number of sentences, by default 100")
    parser.add_argument("--seed", help="the seed, by default the hash of the commit")
    options = parser.parse_args(argv)
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    seed = options.seed or subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    found = all_sentences(tuple(options.folders))
    print(f"{min(options.count, len(found))} of {len(found)} sentences, with the seed {seed}\n")
    for number, one in enumerate(sample(found, seed, options.count), start=1):
        print(f"{number:3}. {' '.join(one.text.split())}\n     {one.kind}, {one.path}:{one.line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
