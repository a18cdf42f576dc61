"""`kfgn-check`, also as `python -m kfgn_conformance`: the command, or the pip line for what it lacks."""

import sys


def main() -> int:
    """Run `kfgn_conformance.cli.main` where its libraries are installed; returns the exit status."""
    try:
        from . import cli

        return cli.main()
    except ModuleNotFoundError as error:
        library = str(error.name).partition(".")[0]
        extra = "exact" if library == "flint" else "conformance"
        print(f"kfgn-check: {library} is not installed: pip install 'kfgn[{extra}]'", file=sys.stderr)  # noqa: T201
        return 2


if __name__ == "__main__":
    sys.exit(main())
