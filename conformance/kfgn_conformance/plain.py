"""Text of users as it is shown: names and messages of adapters, folders, and what files say."""


def plain(text: object) -> str:
    """The text on one line. A control character, an escape sequence or half a character is shown as its escape.

    What changes the direction of writing is a control character too.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
