"""Pieces of printed lines: text from users, such as the names of folders, and numbers of things."""


def plain(text: object) -> str:
    """Return the text on one line, with every unprintable character escaped.

    Control characters, lone surrogates, and characters that change the direction of writing are not printable.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def counted(n: int, noun: str, *, total: int | None = None) -> str:
    """Return a number with its noun, such as "1 problem" or "3 of 5 problems".

    total: the number of all things, of which n is a part; None or n if there are no others
    """
    total = n if total is None else total
    return f"{n}{f' of {total}' if n < total else ''} {noun}{'' if total == 1 else 's'}"
