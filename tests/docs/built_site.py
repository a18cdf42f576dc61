"""Faults of the built site, `python -m tests.docs.built_site FOLDER`: it loads nothing from another host.

A page may link to another host, but loads no script, style, font or picture from it. Each file that a page loads, and
each page of the site that it links to, exists. Every equation has its formula, and every mistake its wrong step.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kfgn_conformance.diagnosis import MISTAKES

LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
"""The attribute by which each element loads a file."""


class Page(HTMLParser):
    """The files that a page loads, the pages that it links to, and its anchors."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Collect what an element refers to."""
        values = dict(attributes)
        if tag in LOADED and (target := values.get(LOADED[tag])):
            self.loads.append(target)
        if tag == "a" and (target := values.get("href")):
            self.links.append(target)
        if anchor := values.get("id"):
            self.anchors.add(anchor)


def faults(site: Path) -> Iterator[str]:
    """The faults of a site, one line each."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        place = path.relative_to(site)
        for target in page.loads:
            if urlsplit(target).netloc:
                yield f"{place}: loads from another host: {target}"
        for target in page.loads + page.links:
            address = urlsplit(target)
            if not address.scheme and not address.netloc and address.path:
                if not (path.parent / unquote(address.path)).exists():
                    yield f"{place}: no such file: {target}"
            elif target.startswith("#") and target != "#" and unquote(target[1:]) not in page.anchors:
                yield f"{place}: no such anchor: {target}"
    for style in sorted(site.rglob("*.css")):
        text = style.read_text(encoding="utf-8")
        if "url(http" in text or "url(//" in text or "@import" in text:
            yield f"{style.relative_to(site)}: loads from another host or file"
    yield from _equation_faults(site)
    yield from _mistake_faults(site)


def _equation_faults(site: Path) -> Iterator[str]:
    """The equations without an entry or without a formula, and the algorithm without its lines."""
    path = site / "equations.html"
    html = path.read_text(encoding="utf-8") if path.exists() else ""
    for number in range(1, 72):
        entry = html.partition(f'id="equation-{number}"')[2].partition('id="equation-')[0]
        if '<div class="math"><svg role="img"' not in entry:
            yield f"equations.html: no formula of ({number})"
    if "a_0 = X" not in html.partition('id="algorithm-1"')[2]:
        yield "equations.html: no lines of Algorithm 1"


def _mistake_faults(site: Path) -> Iterator[str]:
    """The mistakes of the catalogue without an entry, without code, or without the quantities that they change."""
    path = site / "mistakes.html"
    html = path.read_text(encoding="utf-8") if path.exists() else ""
    for name in MISTAKES:
        entry = html.partition(f'id="mistake-{name}"')[2].partition('id="mistake-')[0]
        if not ("<pre>" in entry and "Changes" in entry):
            yield f"mistakes.html: no wrong step or no quantities of {name}"


def main(site: str) -> int:
    """Print the faults of a site, and return 1 if there are any."""
    found = list(faults(Path(site)))
    for fault in found:
        print(fault)
    print(f"{len(found)} faults in the site")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
