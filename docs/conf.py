"""Sphinx configuration of the documentation site: `nox -s docs`."""

import sys
from pathlib import Path
from typing import Any

import kfgn

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "extensions"))

project = "kfgn"
author = "The kfgn developers"
project_copyright = "The kfgn developers"
version = release = kfgn.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "equation_index",
    "mistake_index",
    "plain_docstrings",
    "plain_pages",
    "reference_code",
    "repository_links",
    "svg_math",
]
templates_path = ["templates"]
exclude_patterns = ["build", "templates", "examples/*.py", "examples/README.rst", "sg_execution_times.rst"]
nitpicky = True
default_role = "name"

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_member_order = "bysource"
autosummary_generate = True
numpydoc_show_class_members = False

html_theme = "furo"
html_title = f"kfgn {version}"
html_math_renderer = "svg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_use_index = False  # the pages of the API and the search find every name
html_show_sphinx = False
pygments_style = "a11y-light"
pygments_dark_style = "github-dark"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/\w+\.py$",
    "within_subsection_order": "FileNameSortKey",
    "reset_modules": ("gallery_style.reset",),
    "remove_config_comments": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e6,
    "write_computation_times": False,
    "capture_repr": (),
    "abort_on_example_error": True,
    "backreferences_dir": None,
}


def setup(app: Any) -> None:
    """Open only the branch of the sidebar that leads to the page."""
    app.connect("html-page-context", fold_other_branches, priority=400)  # before the theme, whose priority is 500


def fold_other_branches(_app: Any, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Fold the other branches. The theme would write the names of all pages into each page."""
    if "toctree" in context:
        whole = context["toctree"]
        context["toctree"] = lambda **options: whole(**options | {"collapse": True})
