"""Safe printing of text from users, such as the names of folders and the messages of adapters."""


def plain(text: object) -> str:
    """Return the text on one line, with every unprintable character escaped.

    Control characters, lone surrogates, and characters that change the direction of writing are not printable.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
