"""The names of adapters on the command line: `package.module:Adapter`, or `exec:COMMAND` for a program."""

PREFIX = "exec:"
"""The first characters of the name of a program. The rest of the name is the command."""


def is_name(text: str) -> bool:
    """True for a text with the form of an adapter's name, even if the module or the program does not exist."""
    return bool(text.removeprefix(PREFIX).strip()) if text.startswith(PREFIX) else is_class(text)


def is_class(text: str) -> bool:
    """True for a text of the form `package.module:Adapter`."""
    module, _, attribute = text.partition(":")
    return attribute.isidentifier() and all(part.isidentifier() for part in module.split("."))
