"""The pages to which the README links are plain Markdown, and the site shows more of them."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from .extensions import EXTENSIONS, extension

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^()\s#:]+)(?:#[\w-]+)?\)")
ONLY_SPHINX = re.compile(r"^(?:`{3,}|:{3,})\{|\{[\w:]+\}`|^:\w+:|^\(.*\)=$", re.MULTILINE)
"""A directive, a role, an option of a directive, or a label."""

for_the_site = extension("plain_pages").for_the_site
on_read = extension("plain_pages").on_read
COMMENT = "<!-- on the site:\nb\n-->"


def seen(text):
    """The text that a viewer of Markdown shows, without comments."""
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)


def linked(page):
    """The files to which a page links, relative to the root of the repository."""
    links = LINK.findall(seen(page.read_text(encoding="utf-8")))
    return [(page.parent / link).resolve().relative_to(ROOT) for link in links]


PAGES = sorted({str(path) for path in linked(ROOT / "README.md") if path.suffix == ".md"})


def test_the_readme_links_to_the_pages_for_its_readers():
    assert {f"docs/{name}.md" for name in ("use", "check", "read", "train", "methods", "errata")} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_linked_page_is_plain_markdown(page):
    assert ONLY_SPHINX.findall(seen((ROOT / page).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("page", [*PAGES, "README.md"])
def test_a_link_of_a_page_leads_to_a_file(page):
    for path in linked(ROOT / page):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("text", ["```{eval-rst}", ":::{grid}", "see {py:func}`f`", ":link: use"])
def test_what_only_sphinx_reads_is_found(text):
    assert ONLY_SPHINX.search(f"A line.\n{text}\n")


@pytest.mark.parametrize(
    ("text", "site"),
    [
        ("a\n<!-- on the site:\n.. symbols::\n-->\nb", "a\n.. symbols::\nb"),
        ("a <!-- no directive --> b", "a <!-- no directive --> b"),
        ("The `kfgn.kfra` of `kfgn.lab.Run` and `kfra`.", "The {name}`kfgn.kfra` of {name}`kfgn.lab.Run` and `kfra`."),
        ("`kfgn.kfra(X)` and [`kfgn.lab`](lab.rst)", "`kfgn.kfra(X)` and [`kfgn.lab`](lab.rst)"),
        ("```sh\n`kfgn.kfra`\n```\n`kfgn.kflr`\n", "```sh\n`kfgn.kfra`\n```\n{name}`kfgn.kflr`\n"),
    ],
)
def test_the_page_of_the_site(text, site):
    assert for_the_site(text) == site


@pytest.mark.parametrize(("name", "read"), [("read.md", "b"), ("equations.rst", COMMENT)])
def test_a_page_of_markdown_is_found_by_its_path(name, read):
    """Sphinx 10 gives a path, and earlier releases a str."""
    for path in (Path("docs", name), f"docs/{name}"):
        content = [COMMENT]
        on_read(SimpleNamespace(env=SimpleNamespace(doc2path=lambda _, path=path: path)), name, content)
        assert content == [read]


def test_every_comment_for_the_site_is_found():
    """A comment that the pattern misses would be missing on the site."""
    for page in EXTENSIONS.parent.glob("*.md"):
        assert "on the site:\n" not in for_the_site(page.read_text(encoding="utf-8")), page.name


@pytest.mark.parametrize(
    ("link", "site"),
    [
        ("[a](examples/plot_5_torch.py)", "[a](gallery/plot_5_torch)"),
        ("[a](examples/)", "[a](gallery/index)"),
        ("[a](errata.md#algebra)", "[a](errata.md#algebra)"),
        ("[a](../CONTRIBUTING.md)", "[a](contributing.md)"),
        ("[a](../reference/kfgn_reference/__init__.py)", "a"),
    ],
)
def test_a_link_of_a_page_on_the_site(link, site, monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    assert extension("repository_links").with_links(link, "docs") == site
