"""The registration of planted mistakes."""


def register(*quantities, into, dtypes=("float32", "float64")):
    """Register a mistake that shows in these quantities, and in these dtypes."""

    def registered(mistake):
        mistake.asked, mistake.dtypes = quantities, dtypes
        into[mistake.__name__] = mistake
        return mistake

    return registered
