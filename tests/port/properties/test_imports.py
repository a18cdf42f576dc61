"""kfgn needs NumPy and array-api-compat alone, and imports other libraries only when they are used."""

import subprocess
import sys

import pytest

BLOCKED = ("torch", "jax", "jaxlib", "cupy", "scipy", "array_api_strict", "hypothesis", "pytest", "rich", "matplotlib")

# calls that need NumPy alone
COMPUTE = """
import numpy as np
network = kfgn.Network.dense((2, 3, 2), ("tanh",), "categorical")
weights = tuple(np.ones(shape) for shape in network.weight_shapes)
X, Y = np.ones((4, 2)), np.array([0, 1, 1, 0])
labels = kfgn.sample_labels(network, weights, X, np.full((4, 5), 0.5))
results = [f(network, weights, X, Y) for f in (kfgn.loss, kfgn.kfra, kfgn.kflr)]
results.append(kfgn.kfac(network, weights, X, Y, labels))
backend = kfgn.backends.open_backend("numpy")
assert backend.to_numpy(backend.asarray(X)).tobytes() == X.tobytes()
"""

# calls that use SciPy if it is installed
SOLVE = """
for block, gradient in zip(kfgn.kronecker_blocks(results[1].Q, results[1].G), results[1].gradient):
    assert np.isfinite(block.solve(gradient, damping=0.1)).all()
"""

BLOCK = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {BLOCKED}:
            raise ImportError(f"{{name}} is blocked")

sys.meta_path.insert(0, Absent())
"""


def run(*parts):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(parts)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_any_other_library():
    run(BLOCK, "import kfgn, kfgn.backends", COMPUTE, SOLVE)


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [
        ("torch", "torch", "torch"),
        ("jax", "jax", "jax"),
        ("cupy", "cupy", "cupy"),
        ("strict", "array_api_strict", "conformance"),
    ],
)
def test_an_absent_library_is_named_with_what_installs_it(name, module, extra):
    output = run(
        BLOCK.replace("ImportError(", "ModuleNotFoundError(").replace('blocked")', 'blocked", name=name)'),
        "from kfgn.backends import BackendUnavailableError, open_backend",
        f"try:\n    open_backend({name!r})\nexcept BackendUnavailableError as error:\n    print(error)",
    )
    assert output.strip() == f"{module} is not installed: pip install 'kfgn[{extra}]'"


def test_nothing_else_is_imported():
    # importing kfgn and computing with NumPy arrays import none of the libraries, which are installed
    assert run("import kfgn, sys", f"print([name for name in {BLOCKED} if name in sys.modules])").strip() == "[]"
    run("import kfgn, kfgn.backends, sys", COMPUTE, f"assert not [name for name in {BLOCKED} if name in sys.modules]")
