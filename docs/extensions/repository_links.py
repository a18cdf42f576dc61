"""Links of the Markdown pages to files of the repository that are no pages of the site.

A link to CONTRIBUTING.md, CHANGELOG.md or tests/README.md leads to the page of the site that includes it, and a link to
a program in docs/examples/ leads to its page in the gallery. A link to any other file outside docs/ leads to the
repository, if the environment names it as GitHub's workflows do. Without a name, the text of the link remains, and the
built site refers to no other host.
"""

import os
import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
INCLUDED = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "tests/README.md": "tests.md"}
"""The pages of docs/ that include a file of the repository."""

EXAMPLE = re.compile(r"docs/examples(?:/(plot_\w+)\.py)?")

LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|`[^`]*`)*)\]\((?!https?:|#|mailto:)([^()\s#]+)(#[\w-]+)?\)")


def repository_url(path: str) -> str | None:
    """Return the address of a file of the repository, or None if the repository has no address."""
    server, name = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
    return f"{server}/{name}/blob/{os.environ.get('GITHUB_SHA', 'main')}/{path}" if server and name else None


def with_links(text: str, folder: str) -> str:
    """Return the text of a page of docs/ with the links of a Markdown file in a folder of the repository.

    folder: the folder of the file, relative to the root of the repository
    """

    def replaced(link: re.Match[str]) -> str:
        shown, target, anchor = link[1], link[2], link[3] or ""
        path = posixpath.normpath(posixpath.join(folder, target))
        if path in INCLUDED:
            return f"[{shown}]({INCLUDED[path]}{anchor})"
        if example := EXAMPLE.fullmatch(path):
            return f"[{shown}](gallery/{example[1] or 'index'})"
        if path.startswith("docs/"):
            return f"[{shown}]({path.removeprefix('docs/')}{anchor})" if folder != "docs" else link[0]
        url = repository_url(path)
        return f"[{shown}]({url}{anchor})" if url else shown

    return LINK.sub(replaced, text)


def on_read(_app: Any, docname: str, content: list[str]) -> None:
    """Replace the links of a page that lies directly in docs/."""
    if "/" not in docname:
        content[0] = with_links(content[0], "docs")


def on_include(_app: Any, path: Path, _parent: str, content: list[str]) -> None:
    """Replace the links of a file that a page includes."""
    resolved = Path(ROOT, "docs", path).resolve()
    content[0] = with_links(content[0], resolved.parent.relative_to(ROOT).as_posix())


def setup(app: Any) -> dict[str, bool]:
    """Connect the two events."""
    app.connect("source-read", on_read)
    app.connect("include-read", on_include)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
