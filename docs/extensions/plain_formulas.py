"""The notation of the registry as HTML: `W_{λ+1}ᵀ` with a subscript, and (26) as a link to the equation."""

import re
from html import escape

LETTERS = str.maketrans({"𝓕": "ℱ", "𝓖": "𝒢", "𝓗": "ℋ", "𝓠": "𝒬"})
SCRIPT = {"_": "sub", "^": "sup"}
NUMBER = re.compile(r"\((\d+)\)")
BASE = re.compile(r"([A-Za-zα-ω]\u0303?)(?=<su[bp]>)")


def as_html(text: str) -> str:
    """Return the text as HTML."""
    html = BASE.sub(r"<i>\1</i>", _scripts(escape(text.translate(LETTERS), quote=False)))
    return NUMBER.sub(r'(<a href="#equation-\1">\1</a>)', html)


def _scripts(text: str) -> str:
    """Replace `_x`, `_{...}`, `^x` and `^{...}` by elements, inside one another too."""
    html = ""
    while text:
        character, text = text[0], text[1:]
        if character not in SCRIPT:
            html += character
            continue
        script, text = _group(text) if text.startswith("{") else (text[0], text[1:])
        html += f"<{SCRIPT[character]}>{_scripts(script)}</{SCRIPT[character]}>"
    return html


def _group(text: str) -> tuple[str, str]:
    """Return the inside of the braces at the beginning, and the rest."""
    depth = 0
    for end, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            return text[1:end], text[end + 1 :]
    raise ValueError(f"text: expected a closing brace, got {text!r}")
