"""Safe printing of text that users supply, such as folders, and names and messages of adapters."""


def plain(text: object) -> str:
    """Return the text on one line, with an escape in the place of each control character and lone surrogate.

    Characters that change the direction of writing count as control characters.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
