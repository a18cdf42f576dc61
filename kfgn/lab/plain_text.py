"""Safe printing of text that users supply, such as folders, names and messages."""


def escaped(text: object) -> str:
    """Return the text on one line, in which an escape sequence replaces each character that is not printable.

    Characters that are not printable are, for example, control characters, lone surrogates, characters that change the
    direction of writing, and spaces other than the ASCII space.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
