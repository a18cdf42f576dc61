"""Files of the sdist and of the wheel: `python -m tests.house.distributions FOLDER FROM_CHECKOUT`.

FOLDER has the sdist and the wheel that was made from it, and FROM_CHECKOUT has a wheel that was made from the checkout.
"""

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PACKAGES = {
    "kfgn": ROOT / "kfgn",
    "kfgn_reference": ROOT / "reference" / "kfgn_reference",
    "kfgn_conformance": ROOT / "conformance" / "kfgn_conformance",
    "kfgn_pytest": ROOT / "conformance" / "kfgn_pytest",
}
"""The folders of the packages that a wheel has, by the names under which they are imported."""

METADATA = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "licenses/NOTICE"}
"""The files of the folder `.dist-info` of a wheel."""

IN_SDIST = {"pyproject.toml", "noxfile.py", "README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "NOTICE"}
"""Some files at the root of the sdist, from which the tests and the wheel can be run and built again."""

NOT_IN_SDIST = {".github", ".ci"}
"""Folders that are useful only in the repository."""


def package_files() -> set[str]:
    """The path in a wheel of every file of the packages in the checkout."""
    return {
        f"{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in PACKAGES.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def wheel_faults(names: set[str], expected: set[str]) -> list[str]:
    """Differences between the files of a wheel and the expected files of the packages."""
    metadata = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    typed = {f"{package}/py.typed" for package in PACKAGES}
    return [
        *(f"wheel: expected the file {name}, got none" for name in sorted((expected | typed) - names)),
        *(f"wheel: expected no file {name}" for name in sorted(names - metadata - expected)),
        *(
            f"wheel: expected the file .dist-info/{name}, got none"
            for name in sorted(METADATA - {name.split("/", 1)[1] for name in metadata})
        ),
    ]


def sdist_faults(names: set[str]) -> list[str]:
    """Files that the sdist lacks, and folders that it should not have. `names` are paths below its only folder."""
    folders = {name.split("/")[0] for name in names if "/" in name}
    wanted = IN_SDIST | {f"tests/{path.name}" for path in (ROOT / "tests").glob("test_*.py")}
    return [
        *(f"sdist: expected the file {name}, got none" for name in sorted(wanted - names)),
        *(f"sdist: expected no folder {name}" for name in sorted(NOT_IN_SDIST & folders)),
    ]


def main(folder: str, from_checkout: str) -> int:
    """Print the faults of the distributions, and return 1 if there are any."""
    (sdist,) = Path(folder).glob("*.tar.gz")
    (wheel,) = Path(folder).glob("*.whl")
    (direct,) = Path(from_checkout).glob("*.whl")
    with tarfile.open(sdist) as archive:
        in_sdist = {member.name.split("/", 1)[1] for member in archive.getmembers() if member.isfile()}
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    faults = [*sdist_faults(in_sdist), *wheel_faults(in_wheel, package_files())]
    if wheel.name != direct.name or wheel.read_bytes() != direct.read_bytes():
        faults.append(f"{wheel.name}: expected the same bytes from the sdist and from the checkout")
    print(*faults, sep="\n", end="\n" if faults else "")
    print(f"{sdist.name}: {len(in_sdist)} files; {wheel.name}: {len(in_wheel)} files; {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
