#!/usr/bin/env -S uv run --script
# /// script
# dependencies = ["nox>=2026.8.10"]
# ///
"""Sessions for every check of the project. `nox -j 2` runs the default sessions, and `nox -l` lists all of them."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2026.8.10"
# pip, since the machines that run the sessions may have files for pip alone, and since users have pip
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True
# Most sessions use one core for much of their time, so two at once (`nox -j 2`) take less time than one by one. The
# output of a session is then printed when the session ends. `check` and `bench` measure time, and run alone.
nox.options.allow_parallel = True

PROJECT = nox.project.load_toml("pyproject.toml")
HOST = ["numpy", "strict", "torch", "jax"]
GPU = ["torch-cuda", "cupy"]
nox.options.tags = ["ci"]  # what a bare `nox` runs

# JAX compiles every operation for every shape, which takes most of its time here. So sessions share compiled programs.
COMPILED = {
    "JAX_COMPILATION_CACHE_DIR": str(Path(__file__).parent / ".nox" / "jax-compiled"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}

# Most of the time of JAX in `tests` is compilation. So XLA compiles there without optimisation and without its newer
# code generator, which takes a quarter of the time. `check` and `conformance` run XLA as users have it.
COMPILED_QUICKLY = COMPILED | {
    "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
    " --xla_cpu_parallel_codegen_split_count=1"
}


def install(session: nox.Session, *groups: str, extras: str = "conformance") -> None:
    """Install this checkout and groups of pyproject.toml in one resolution, so that the pin of PyTorch holds."""
    packages(session, "-e", f".[{extras}]", *nox.project.dependency_groups(PROJECT, *groups))


def packages(session: nox.Session, *requirements: str) -> None:
    """Install packages without compiling their modules. Python compiles those that it imports, a tenth of PyTorch's."""
    session.install("--no-compile", *requirements)
    session.env["PYTHONDONTWRITEBYTECODE"] = ""


@nox.session(tags=["ci"])
def lint(session: nox.Session) -> None:
    """Ruff, the rules for imports between packages, and the rules of prose."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")
    session.run("python", "-m", "tests.house.check_docstrings", *session.posargs)


@nox.session(tags=["ci"])
def types(session: nox.Session) -> None:
    """Mypy, strict, on the three packages."""
    install(session, "types")
    session.run("mypy")


@nox.session(tags=["ci"], reuse_venv=False)
def reference(session: nox.Session) -> None:
    """Import the reference with NumPy alone, and the port with NumPy and array-api-compat."""
    session.install("numpy")
    program = "import kfgn_reference; print(len(kfgn_reference.__all__), 'names in the reference, with NumPy alone')"
    session.run("python", "-W", "error", "-c", program, env={"PYTHONPATH": "reference"})
    session.install("-e", ".")
    session.run("python", "-W", "error", "-c", "import kfgn; print(len(kfgn.__all__), 'names in the port')")


@nox.session(tags=["ci"])
def tests(session: nox.Session) -> None:
    """All tests, with every backend of the host, on every core."""
    install(session, "test", extras="conformance,train")
    session.run(
        "pytest",
        "--numprocesses=auto",
        "--dist=worksteal",
        *(f"--backend={name}" for name in HOST),
        *session.posargs,
        env={**COMPILED_QUICKLY, "OMP_NUM_THREADS": "1"},
    )


@nox.session
@nox.parametrize(
    "backend",
    [
        nox.param("host", id="host"),
        *(nox.param(name, id=name) for name in HOST),
        *(nox.param(name, id=name, tags=["gpu"]) for name in GPU),
    ],
)
def conformance(session: nox.Session, backend: str) -> None:
    """Comparison of the port on one backend, or on all of the host, with the reference, on random problems.

    `tests` does this too, with a fast compilation by XLA. `host` computes the oracles of a problem once for all
    backends. One by one they would take most of the time.
    """
    install(session, "xdist", "host" if backend == "host" else f"backend-{backend}")
    session.run(
        "pytest",
        "tests/conformance/test_port.py",
        *(f"--backend={name}" for name in (HOST if backend == "host" else [backend])),
        *([] if backend in GPU else ["--numprocesses=auto", "--dist=loadgroup"]),
        *session.posargs,
        env={**COMPILED, "OMP_NUM_THREADS": "1"},
    )


CHECK_SECONDS = 180
"""The limit in seconds of `kfgn-check` in the session `check`, on two quiet cores. The aim is 120 s."""


@nox.session(tags=["ci"], allow_parallel=False)
def check(session: nox.Session) -> None:
    """The table of `kfgn-check` on every backend of the host: fixed and real problems, and trajectories."""
    install(session, "host")
    # no random problems: `tests` has them, and JAX would compile every program for each of them
    kfgn_check(session, "--examples", "0", "--require", *HOST, seconds=None if session.posargs else CHECK_SECONDS)


def kfgn_check(session: nox.Session, *options: str, seconds: int | None = None) -> None:
    """Run `kfgn-check` on every core, and fail if it takes more than `seconds` on quiet cores.

    JAX has its own defaults, and a cache of compiled programs.
    """
    jobs = ("--jobs", str(os.cpu_count() or 1))
    time_limit = () if seconds is None else ("python", "tests/house/time_limit.py", str(seconds))
    session.run(*time_limit, "kfgn-check", *jobs, *options, *session.posargs, env={**COMPILED, "OMP_NUM_THREADS": "1"})


@nox.session(tags=["ci"])
def gpu_rehearsal(session: nox.Session) -> None:
    """benchmarks/gpu.sh on the host, with only the packages of a machine with a GPU."""
    packages(session, *nox.project.dependency_groups(PROJECT, "gpu-machine"))
    room = Path(session.create_tmp()).resolve()
    wheels = room / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    session.run("python", "-m", "pip", "download", "--quiet", "--no-deps", f"--dest={wheels}", "array-api-compat")
    options = session.posargs or ["--quick"]
    command = ("benchmarks/gpu.sh", "--device", "cpu", "--out", str(room / "report"), *options)
    session.run(*command, external=True, env={"WHEELS": str(wheels)})


@nox.session
@nox.parametrize("backend", HOST, ids=HOST)
def explore(session: nox.Session, backend: str) -> None:
    """Conformance on many new random problems: KFGN_EXAMPLES of them, 10,000 by default."""
    install(session, "xdist", f"backend-{backend}")
    session.run(
        "pytest",
        "tests/conformance/test_port.py",
        f"--backend={backend}",
        "-k=drawn",
        "--thorough",
        "--numprocesses=auto",
        *session.posargs,
        env={"HYPOTHESIS_PROFILE": "explore", "OMP_NUM_THREADS": "1"},
    )


PEERS = {
    "backpack": "BackPACK",
    "curvlinops": "Curvlinops",
    "nngeometry": "NNGeometry",
    "asdl": "ASDL",
    "laplace": "Laplace",
    "kfac_jax": "KfacJax",
    "singd": "SINGD",
    "kfac_pytorch": "KFACPyTorch",
    "kronfluence": "Kronfluence",
    "bergson": "Bergson",
    "torch_func": "TorchFunc",
}
WITHOUT_KFAC = ("laplace", "torch_func")


@nox.session
@nox.parametrize("library", list(PEERS), ids=list(PEERS))
def peers(session: nox.Session, library: str) -> None:
    """Comparison of another library with the reference. Failures that are not expected are printed with a diagnosis.

    Without arguments, a table of the library's blocks on a transformer block is printed at the end.
    """
    install(session, f"peer-{library.replace('_', '-')}")
    # these require torchvision but do not need it, and a torchvision for a different PyTorch breaks them
    if library in ("laplace", "kronfluence", "bergson"):
        session.run("pip", "uninstall", "--yes", "torchvision", "torchaudio")
    session.run(
        "kfgn-check",
        f"--adapter=kfgn_conformance.adapters.peers.{library}:{PEERS[library]}",
        "--expected=conformance/kfgn_conformance/adapters/peers/expected.toml",
        f"--jobs={os.cpu_count() or 1}",
        "--examples=0",
        *session.posargs,
        env={"OMP_NUM_THREADS": "1"},
    )
    if library not in WITHOUT_KFAC and not session.posargs:
        session.run(
            "python", "-m", "kfgn_conformance.adapters.peers.transformer", library, env={"OMP_NUM_THREADS": "1"}
        )


BENCH_PEERS = ("peer-backpack", "peer-curvlinops", "peer-kfac-jax")


@nox.session(allow_parallel=False)
def bench(session: nox.Session) -> None:
    """The tables of `python -m benchmarks`. With --peers, other libraries are installed and timed too."""
    groups = ("backend-torch", *BENCH_PEERS) if "--peers" in session.posargs else ("host",)
    install(session, *groups, extras="conformance,train")
    session.run("python", "-W", "ignore", "-m", "benchmarks", "--json", "benchmarks.json", *session.posargs)


@nox.session
def thorough(session: nox.Session) -> None:
    """The slow tests on all their problems, and the table with all problems on every backend."""
    install(session, "test", extras="conformance,train")
    slow = (
        "tests/exact/test_balls.py",
        "tests/exact/test_rationals.py",
        "tests/conformance/test_cases.py",
        "tests/conformance/test_drawn.py",
        "tests/conformance/test_vectors.py",
    )
    options = ("--numprocesses=auto", "--thorough")
    session.run("pytest", *options, "--dist=worksteal", *slow, env={"OMP_NUM_THREADS": "1"})
    session.run("pytest", *options, "--dist=worksteal", "-m=thorough", env={"OMP_NUM_THREADS": "1"})
    port = ("tests/conformance/test_port.py", "--backend=jax")
    session.run("pytest", *options, *port, env={**COMPILED, "OMP_NUM_THREADS": "1"})
    kfgn_check(session, "--thorough", "--examples", "0", "--require", *HOST)


@nox.session
def diagnosis(session: nox.Session) -> None:
    """Plant every mistake of the catalogue on the problems of twenty seeds, and expect its name."""
    install(session, "xdist")
    tests = "tests/conformance/test_diagnosis.py"
    options = ("--numprocesses=auto", "--thorough", *(session.posargs or ["--seeds=20"]))
    session.run("pytest", tests, *options, env={"OMP_NUM_THREADS": "1"})


@nox.session
def processors(session: nox.Session) -> None:
    """Oracles that ship, and golden vectors, with every setting of vector instructions, BLAS kernels and threads.

    Then the table of `check` runs with two threads, since some routes of the port depend on the number of threads.
    """
    install(session, "test", extras="conformance")
    session.run("pytest", "tests/conformance/test_processors.py", "--all-processors", *session.posargs)
    session.run("python", "-m", "kfgn_conformance.fixed_oracles", "verify")
    session.run("kfgn-check", "--examples", "0", "--require", *HOST, env={**COMPILED, "OMP_NUM_THREADS": "2"})


@nox.session
def bad_input(session: nox.Session) -> None:
    """Bad input: 200 alterations of each kind of file, and 50 kills of a training process."""
    install(session, "test", extras="conformance,train")
    pytest = ("pytest", "--numprocesses=auto", "--kills=50", "--alterations=200")
    env = {**COMPILED, "OMP_NUM_THREADS": "1"}
    session.run(*pytest, "tests/bad_input", *session.posargs, env=env)
    session.run(*pytest, "tests/lab/test_resume.py", "-k=killed", *session.posargs, env=env)


@nox.session
def certify(session: nox.Session) -> None:
    """The accuracy of the reference in float64, measured with ball arithmetic."""
    install(session, "balls")
    session.run("kfgn-check", "certify", *session.posargs)


MUTMUT = """
[tool.mutmut]
source_paths = ["src"]
pytest_add_cli_args_test_selection = ["tests"]

[tool.pytest.ini_options]
addopts = ["--import-mode=importlib"]
filterwarnings = ["error"]
pythonpath = ["src"]
"""


@nox.session(tags=["ci"])
def docs(session: nox.Session) -> None:
    """Build the documentation site with its examples, offline, and read the built pages for faults."""
    install(session, "docs", extras="conformance,train")
    site = Path("docs", "build")
    shutil.rmtree(site, ignore_errors=True)
    options = ("--builder", "html", "--fail-on-warning", "--keep-going", "--doctree-dir", str(site / "doctrees"))
    session.run(
        "sphinx-build", *options, *session.posargs, "docs", str(site / "html"), env={**COMPILED, "OMP_NUM_THREADS": "1"}
    )
    session.run("python", "-m", "tests.docs.built_site", str(site / "html"))


@nox.session
def mutation(session: nox.Session) -> None:
    """Perturb the function of every equation, then mutate the reference, and print the mutants that its tests miss."""
    install(session, "mutation")
    session.run("python", "tests/reference/perturb.py")
    room = Path(session.create_tmp()).resolve() / "mutation"
    shutil.rmtree(room, ignore_errors=True)
    shutil.copytree("reference", room / "src")
    # mutmut forks, which JAX cannot do, adds an import to every module, and moves the tests
    left_out = shutil.ignore_patterns(
        "test_autodiff_jax.py", "test_examples.py", "test_imports.py", "test_registry.py", "perturb.py"
    )
    shutil.copytree("tests/reference", room / "tests", ignore=left_out)
    (room / "pyproject.toml").write_text(MUTMUT)
    session.chdir(room)
    session.run("mutmut", "run", env={"OMP_NUM_THREADS": "1"})
    session.run("mutmut", "results")


def numpy_tests(session: nox.Session, *arguments: str, pins: tuple[str, ...] = ()) -> None:
    """Run tests on NumPy, in an environment with these releases, with few examples of Hypothesis.

    NumPy has two threads if there are at least two processors. The port then solves equations without SciPy. The
    session `tests` has one thread, and only a few of its tests take this route.
    """
    packages(session, "-e", ".[conformance,exact,train]", *nox.project.dependency_groups(PROJECT, "xdist"), *pins)
    env = {"HYPOTHESIS_PROFILE": "quick", "OMP_NUM_THREADS": "2"}
    session.run("pytest", "--numprocesses=auto", *arguments, *session.posargs, env=env)


def lower_bounds(*extras: str) -> list[str]:
    """Pins of the lowest release of each dependency that pyproject.toml allows."""
    project = PROJECT["project"]
    texts = {*project["dependencies"], *(text for name in extras for text in project["optional-dependencies"][name])}
    bounds = {Requirement(text).name: Requirement(text).specifier for text in texts}
    return [f"{name}=={bound.version}" for name, found in bounds.items() for bound in found if bound.operator == ">="]


@nox.session(tags=["ci"])
def oldest(session: nox.Session) -> None:
    """A fast part of the tests on NumPy, with the lowest release of every dependency except PyTorch, JAX and CuPy.

    A test with arguments has a case for each value of each argument, and not for each combination.
    """
    if sys.version_info[:2] != (3, 11):
        session.skip("the lowest releases have wheels for Python 3.11 only")
    lab = ("checkpoint", "cli", "comparison", "lock", "pictures", "run_folder")
    kit = ("expected", "reports", "serialisation")
    tests = (
        *("tests/port", "tests/reference", "--ignore=tests/reference/equations", "tests/lab/data/test_store.py"),
        *(f"tests/lab/test_{name}.py" for name in lab),
        *(f"tests/conformance/test_{name}.py" for name in kit),
    )
    # matplotlib 3.9 calls functions that its own dependencies deprecate
    options = ("--each-value", "-Wignore::DeprecationWarning")
    numpy_tests(session, *tests, *options, pins=tuple(lower_bounds("conformance", "exact", "train")))


@nox.session
def newest(session: nox.Session) -> None:
    """A fast part of the tests on NumPy with the newest releases, for systems on which CI runs NumPy alone."""
    numpy_tests(session, "tests/port", "tests/reference")


@nox.session(tags=["ci"], reuse_venv=False)
def build(session: nox.Session) -> None:
    """Make the sdist and the wheel, check their files, and use the wheel in a clean environment outside the checkout.

    The distributions are copied to the folder after --, if there is one.
    """
    session.install(*nox.project.dependency_groups(PROJECT, "build"))
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder).resolve()
        session.run("python", "-m", "build", "--outdir", str(room / "dist"))  # the wheel is made from the sdist
        session.run("python", "-m", "build", "--wheel", "--outdir", str(room / "from-checkout"))
        session.run("twine", "check", "--strict", *map(str, (room / "dist").iterdir()))
        session.run("python", "-m", "tests.house.distributions", str(room / "dist"), str(room / "from-checkout"))
        use_wheel(session, room)
        for destination in session.posargs:
            shutil.copytree(room / "dist", destination)


def use_wheel(session: nox.Session, room: Path) -> None:
    """Install the wheel in an empty environment, and run both commands and the plug-in of pytest from it."""
    (wheel,) = (room / "dist").glob("*.whl")
    shutil.copy("tests/conformance/small_kfac.py", room)
    session.run("python", "-m", "venv", str(room / "environment"))
    scripts = room / "environment" / ("Scripts" if os.name == "nt" else "bin")
    check = ("kfgn-check", "--require", "numpy", "--backend", "numpy", "--examples", "0")
    plug_in = ("pytest", "--pyargs", "kfgn_conformance", "--kfgn-adapter=small_kfac:SmallKfac", "--kfgn-dtype=float64")
    with session.chdir(room):
        for program, *arguments in (
            ("python", "-m", "pip", "install", "--quiet", f"kfgn[conformance,train] @ {wheel.as_uri()}"),
            ("kfgn", "--version"),
            ("kfgn", "train", "--data", "digits", "--updates", "3", "--out", "run"),
            (*check, "--dtype", "float64", "--quantity", "kfra", "--problem", "case-*"),
            (*plug_in, "--kfgn-examples=0", "-k", "gradient"),
        ):
            env = {"OMP_NUM_THREADS": "1", "PYTHONPATH": ""}  # nothing is imported from the checkout
            session.run(str(scripts / program), *arguments, external=True, env=env)


if __name__ == "__main__":
    nox.main()
