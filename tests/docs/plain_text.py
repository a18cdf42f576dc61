"""Translation of LaTeX to the plain text of the registry, so that the two notations can be compared."""

import re
import unicodedata

GREEK = dict(
    zip(
        ["alpha", "beta", "gamma", "delta", "eta", "theta", "lambda", "pi", "rho", "sigma", "tau", "omega"],
        "αβγδηθλπρστω",
        strict=True,
    )
)
SIGNS = dict(
    zip(
        ["partial", "sum", "nabla", "top", "otimes", "star", "equiv", "approx", "leq", "geq", "Rightarrow", "|"],
        "∂Σ∇⊤⊗⋆≡≈≤≥⇒‖",
        strict=True,
    )
)
WORDS = {name: name for name in ("log", "min", "arg")}
LAYOUT = dict.fromkeys(("left", "right", "Big", "bigg", "quad", "qquad", ";", "\\"), "")
SYMBOLS = {**GREEK, **SIGNS, **WORDS, **LAYOUT}
SCRIPT = dict(zip("FGHQ", "𝓕𝓖𝓗𝓠", strict=True))
ACCENTS = {"tilde": "\u0303", "bar": "\u0304", "hat": "\u0302"}
BRACKETS = "()[]{}"

TOKEN = re.compile(r"\\begin\{aligned\}|\\end\{aligned\}|\\[A-Za-z]+|\\.|\S")


def from_latex(latex: str) -> str:
    """Return a formula in the notation of the registry. Raises `KeyError` for an unknown command."""
    tokens = TOKEN.findall(latex)
    text = ""
    while tokens:
        text += _next(tokens)
    return text


def _next(tokens: list[str]) -> str:
    """The text of the next token with its arguments, which are removed from the list."""
    token = tokens.pop(0)
    if token == "{":
        text = ""
        while tokens[0] != "}":
            text += _next(tokens)
        tokens.pop(0)
        return "{" + text + "}"
    if token == "&" or token.endswith("{aligned}"):
        return ""
    if not token.startswith("\\"):
        return token
    name = token[1:]
    if name == "frac":
        return f"{_next(tokens)}/{_next(tokens)}"
    if name == "sqrt":
        return "√" + _next(tokens)
    if name == "overset":
        above = _next(tokens)
        return f"{_next(tokens)}^{above}"
    if name in ("operatorname", "mathcal", "mathbb") or name in ACCENTS:
        argument = _next(tokens)[1:-1]
        return {"mathcal": SCRIPT, "mathbb": {"E": "𝔼"}}.get(name, {}).get(argument, argument) + ACCENTS.get(name, "")
    return SYMBOLS[name]


def canonical(text: str) -> str:
    """Return a formula without spaces and brackets, in which the subscript of a symbol precedes its superscript.

    Brackets are left out since a fraction of LaTeX needs none. A script of a bracket is kept.
    """
    text = unicodedata.normalize("NFD", re.sub(r"\s", "", text).replace("½", "1/2"))
    for short, long in {"ᵀ": "^{⊤}", "⁻¹": "^{-1}", "²": "^{2}"}.items():
        text = text.replace(short, long)
    written = ""
    while text:
        base, text = _symbol(text)
        scripts = {"_": "", "^": ""}
        while text and text[0] in scripts:
            kind, text = text[0], text[1:]
            script, text = _group(text) if text[0] == "{" else _symbol(text)
            scripts[kind] += canonical(script)
        written += "" if base in BRACKETS else base
        written += "".join(f"{kind}<{script}>" for kind, script in scripts.items() if script)
    return written


def _symbol(text: str) -> tuple[str, str]:
    """The first character with its accents, and the rest."""
    end = 1
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return text[:end], text[end:]


def _group(text: str) -> tuple[str, str]:
    """The inside of the braces at the beginning, and the rest."""
    depth = 0
    for end, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            return text[1:end], text[end + 1 :]
    raise ValueError(f"expected a closing brace, got {text}")
