"""The command `kfgn-check`, which also runs as `python -m kfgn_conformance`."""

import sys


def main() -> int:
    """Run `cli.main` and return its exit status. If a library is not installed, print the pip command and return 2."""
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
