"""Pages that are read as plain Markdown in a clone, and that have more on the site.

The site shows the content of a comment `<!-- on the site: ... -->`, and makes a name such as `kfgn.kfra` in backticks a
link. A viewer of Markdown hides the comment, and shows the name as code.
"""

import re
from typing import Any

SITE = re.compile(r"^<!-- on the site:\n(.*?)\n-->$", re.DOTALL | re.MULTILINE)
FENCE = re.compile(r"^(`{3,}|:{3,}).*?^\1$", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"(?<![`\[}])(`kfgn(?:_\w+)?(?:\.\w+)+`)(?!`)")


def for_the_site(text: str) -> str:
    """Return the text of a page with the content of its comments for the site, and with roles for its names."""
    text = SITE.sub(r"\1", text)
    parts, end = [], 0
    for fence in FENCE.finditer(text):
        parts += [_with_roles(text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, _with_roles(text[end:])])


def _with_roles(text: str) -> str:
    """Return a text without code blocks, in which each name has the role `name`."""
    return NAME.sub(r"{name}\1", text)


def on_read(app: Any, docname: str, content: list[str]) -> None:
    """Replace the text of a page of Markdown before it is parsed."""
    if str(app.env.doc2path(docname)).endswith(".md"):
        content[0] = for_the_site(content[0])


def setup(app: Any) -> dict[str, bool]:
    """Connect the event."""
    app.connect("source-read", on_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
