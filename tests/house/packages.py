"""The import packages of the three distributions, and the modules in them."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("kfgn", "kfgn_reference", "kfgn_conformance", "kfgn_pytest")


def folder(package: str) -> Path:
    """The folder of a package, without importing it."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def inner_packages(package: str) -> list[str]:
    """The package and the packages inside it, by their full names."""
    root = folder(package)
    return [".".join((package, *init.parent.relative_to(root).parts)) for init in sorted(root.rglob("__init__.py"))]


def modules(package: str) -> list[str]:
    """The names of the modules and packages that lie directly in a package."""
    top, *inside = package.split(".")
    place = folder(top).joinpath(*inside)
    files = [path.stem for path in place.glob("*.py") if not path.stem.startswith("__")]
    return sorted(files + [init.parent.name for init in place.glob("*/__init__.py")])
