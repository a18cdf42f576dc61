"""Docstrings that are plain text: marks of reStructuredText are characters, and a name in backticks is a link."""

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

import kfgn

CODE_OR_MARK = re.compile(r"`[^`]*`|(?<!^)(?<!\*)[*|](?!\*)|^[*|](?! )|(?<=\w)_(?!\w)")
FIELD = type(kfgn.Counts.__dict__[kfgn.Counts._fields[0]])
"""The type of the fields of named tuples."""

PACKAGES = (
    *("kfgn", "kfgn.lab", "kfgn.backends", "kfgn_conformance", "kfgn_conformance.functions"),
    *("kfgn_reference", "kfgn_reference.shared_weights"),
)
"""The packages in which a name without a package is looked up, in this order."""


def escape(_app: Sphinx, _what: str, _name: str, _value: Any, _options: Any, lines: list[str]) -> None:
    """Escape the marks `*`, `|` and `_` in the prose of a docstring, outside code and examples."""
    example, literal = False, -1  # literal: the indent of the line with `::` before a literal block, or -1
    for i, line in enumerate(lines):
        bare = line.strip()
        indent = len(line) - len(line.lstrip())
        example = bare.startswith(">>>") or (example and bool(bare))
        if bare and indent <= literal:
            literal = -1
        if not example and literal < 0:
            lines[i] = line[:indent] + CODE_OR_MARK.sub(_escaped, bare)
            if bare.endswith("::"):
                literal = indent


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith("`") else f"\\{found[0]}"


def name_role(
    _role: str, rawtext: str, text: str, _line: int, inliner: Any, _options: Any = None, _content: Any = None
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Make a name in backticks a link, if it is the name of something that the site documents."""
    env: BuildEnvironment = inliner.document.settings.env
    reference = addnodes.pending_xref(rawtext, reftype="plain", reftarget=text, refdoc=env.docname)
    reference["modules"] = [env.ref_context.get("py:module"), env.ref_context.get("py:class")]
    reference += nodes.literal(text, text, classes=["py", "xref"])
    return [reference], []


def resolve(app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, text: nodes.Element) -> nodes.Node | None:
    """Resolve a name in backticks. A name that is not documented remains text."""
    if node["reftype"] != "plain":
        return None
    target = node["reftarget"].removesuffix("()")
    objects = env.domains.python_domain.objects
    for prefix in (*filter(None, node["modules"]), "", *PACKAGES):
        found = objects.get(f"{prefix}.{target}".strip("."))
        if found:
            return make_refnode(app.builder, node["refdoc"], found.docname, found.node_id, text, target)
    return text


def leave_out_field(_app: Sphinx, _what: str, _name: str, value: Any, _skip: bool, _options: Any) -> bool | None:
    """Leave out the fields of a named tuple, which the docstring of the class describes."""
    return True if isinstance(value, FIELD) else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the role, and escape docstrings before numpydoc reads them."""
    app.add_role("name", name_role)
    app.connect("autodoc-process-docstring", escape, priority=400)
    app.connect("autodoc-skip-member", leave_out_field)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
