"""The bad values that are rightly accepted: the call, the argument, the kind, and the reason. At most 40."""

ACCEPTED: list[tuple[str, str, str, str]] = []
