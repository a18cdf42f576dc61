"""The checks of `built_site` find their faults on a small site."""

import pytest
from kfgn_conformance.diagnosis import MISTAKES

from . import built_site
from .extensions import extension

ENTRY = '<p id="equation-{}"></p><div class="math"><svg role="img"></svg></div>'
EQUATIONS = "".join(ENTRY.format(number) for number in range(1, 72)) + '<p id="algorithm-1">a_0 = X</p>'
STEP = '<p id="mistake-{}"></p><pre>return x</pre>Changes q.'
MISTAKES_PAGE = "".join(map(STEP.format, MISTAKES))


@pytest.fixture
def site(tmp_path):
    (tmp_path / "equations.html").write_text(EQUATIONS)
    (tmp_path / "mistakes.html").write_text(MISTAKES_PAGE)
    (tmp_path / "index.html").write_text('<a href="equations.html#equation-1">1</a><a href="https://example.org">2</a>')
    return tmp_path


def test_a_good_site(site):
    assert list(built_site.faults(site)) == []
    assert built_site.main(str(site)) == 0


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<script src="https://example.org/a.js"></script>', "loads from another host"),
        ('<img src="//example.org/a.png">', "loads from another host"),
        ('<link href="missing.css">', "no such file: missing.css"),
        ('<a href="other.html">1</a>', "no such file: other.html"),
        ('<a href="#nowhere">1</a>', "no such anchor: #nowhere"),
    ],
)
def test_a_fault_of_a_page(site, html, fault):
    (site / "page.html").write_text(html)
    (found,) = built_site.faults(site)
    assert found.startswith("page.html: ")
    assert fault in found
    assert built_site.main(str(site)) == 1


def test_a_font_from_another_host(site):
    (site / "style.css").write_text("@font-face { src: url(https://example.org/font.woff2) }")
    assert list(built_site.faults(site)) == ["style.css: loads from another host or file"]


def test_a_missing_formula(site):
    (site / "equations.html").write_text(EQUATIONS.replace(ENTRY.format(40), '<p id="equation-40"></p>'))
    assert list(built_site.faults(site)) == ["equations.html: no formula of (40)"]


def test_a_missing_algorithm(site):
    (site / "equations.html").write_text(EQUATIONS.replace("a_0 = X", ""))
    assert list(built_site.faults(site)) == ["equations.html: no lines of Algorithm 1"]


def test_a_mistake_without_its_step(site):
    (site / "mistakes.html").write_text(MISTAKES_PAGE.replace(STEP.format("slope-twice"), ""))
    assert list(built_site.faults(site)) == ["mistakes.html: no wrong step or no quantities of slope-twice"]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("𝓗_L = I", "ℋ<sub>L</sub> = I"),
        ("W_{λ+1}ᵀ, as in (8)", '<i>W</i><sub>λ+1</sub>ᵀ, as in (<a href="#equation-8">8</a>)'),
        ("J_{h_λ}^{h^L} < 1", "<i>J</i><sub><i>h</i><sub>λ</sub></sub><sup><i>h</i><sup>L</sup></sup> &lt; 1"),
    ],
)
def test_the_notation_of_the_registry_as_html(text, html):
    assert extension("plain_formulas").as_html(text) == html
