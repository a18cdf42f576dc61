"""Safe printing of text that users supply, such as folders, names and messages."""


def escaped(text: object) -> str:
    """Return the text on one line, with each control character and lone surrogate replaced by its escape sequence.

    Characters that change the direction of writing count as control characters.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
