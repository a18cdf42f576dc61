"""The table of tests/README.md: for each quantity its equation, its code and its tests. `python -m tests.house.proofs`.

The command writes the table between the two marks of the README. A test compares it with the code.
"""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import kfgn_reference as ref
from kfgn_conformance import quantities
from kfgn_conformance.adapters import kfgn_port

import kfgn

from .packages import ROOT

README = ROOT / "tests" / "README.md"
ADAPTER = Path(kfgn_port.__file__)
BEGIN, END = "<!-- the table of tests.house.proofs begins -->", "<!-- the table of tests.house.proofs ends -->"
HEADS = ("quantity", "equation", "reference", "its test", "port", "its test", "kit")


class Proof(NamedTuple):
    """The functions that compute a quantity, and the test of each that comes first.

    reference:      the name of a public function of the reference
    reference_test: a test by its path below tests/ and its name, or the number of an equation, whose test is
                    in the registry of the reference
    port:           a public name of kfgn, or a method of one; empty if the port does not have the quantity
    port_test:      a test by its path below tests/port and its name
    """

    reference: str
    reference_test: int | str
    port: str = ""
    port_test: str = ""


def curvature(reference: str, test: int | str, port: str, file: str, name: str = "test_reference") -> Proof:
    """A proof whose test of the port is in the room of the curvature."""
    return Proof(reference, test, port, f"curvature/test_{file}.py::{name}")


def shared(
    function: str, file: str, test: str, port: str = "", port_test: str = "", port_file: str = "reference"
) -> Proof:
    """A proof of a quantity with shared weights. The port has most of them."""
    reference_test = f"reference/shared_weights/test_{file}.py::{test}"
    path = f"positions/test_{port_file}.py::{port_test}" if port else ""
    return Proof(f"shared_weights.{function}", reference_test, port, path)


def approximation(function: str, test: str, port_test: str = "test_factors") -> Proof:
    """A proof of an approximation with shared weights, which has the same name in the port."""
    return shared(function, "approximations", test, function, port_test, "approximations")


BLOCKS = ("factored_blocks", 20, "KroneckerBlock.dense", "algebra/test_kronecker.py::test_products")
SOLVED = ("factored_layer_direction", 36, "KroneckerBlock.solve", "algebra/test_kronecker.py::test_solve_and_logdet")
R_OPERATOR = "reference/test_r_operator.py::test_jacobian_products_are_transposes"
AUTODIFF = "reference/test_autodiff_jax.py::test_mean_over_the_batch"
BY_MATRIX = "reference/test_r_operator.py::test_gauss_newton_product"
BY_DIFFERENCES = "reference/test_r_operator.py::test_hessian_product"
PRODUCTS = "products/test_products.py::test_dense"
MODEL = "quadratic_model/test_quadratic_model.py::test_dense"
LOGDETS = "reference/test_spectral.py::test_log_determinants"

PROOFS = {
    "loss": curvature("loss", AUTODIFF, "loss", "loss_and_gradient"),
    "gradient": curvature("gradient", 3, "gradient", "loss_and_gradient"),
    "preactivation_hessians": curvature("sample_preactivation_hessians", 8, "preactivation_hessians", "hessian"),
    "hessian_blocks": curvature("hessian_blocks", AUTODIFF, "hessian_blocks", "hessian"),
    "preactivation_gauss_newton": curvature(
        "sample_preactivation_gauss_newton", 22, "preactivation_gauss_newton", "gauss_newton"
    ),
    "gauss_newton_blocks": curvature("gauss_newton_blocks", 19, "gauss_newton_blocks", "gauss_newton"),
    "q": curvature(
        "expected_q", 21, "kfra", "loss_and_gradient", "test_every_method_returns_the_same_loss_gradient_and_q"
    ),
    "kflr": curvature("kflr", 25, "kflr", "kflr"),
    "kfra": curvature("kfra", 26, "kfra", "kfra"),
    "kfac": curvature("kfac", 59, "kfac", "kfac"),
    "rp": curvature("rp", "reference/test_rp.py::test_loops", "rp", "random_projections", "test_a_basis"),
    **{f"{method}_blocks": Proof(*BLOCKS) for method in ("kflr", "kfra", "kfac")},
    "labels": curvature(
        "draw_labels",
        "reference/test_kfac.py::test_sampled_labels_converge",
        "sample_labels",
        "kfac",
        "test_labels_are_those_of_the_reference",
    ),
    "jacobian_product": Proof(
        "jacobian_product", R_OPERATOR, "jacobian_product", "linearisation/test_r_operator.py::test_by_hand"
    ),
    "transposed_jacobian_product": Proof(
        "transposed_jacobian_product",
        R_OPERATOR,
        "transposed_jacobian_product",
        "linearisation/test_r_operator.py::test_by_hand",
    ),
    "gauss_newton_product": Proof(
        "gauss_newton_product",
        BY_MATRIX,
        "gauss_newton_product",
        PRODUCTS,
    ),
    "gauss_newton_block_product": Proof(
        "gauss_newton_product",
        BY_MATRIX,
        "gauss_newton_block_product",
        PRODUCTS,
    ),
    "hessian_product": Proof("hessian_product", BY_DIFFERENCES, "hessian_product", PRODUCTS),
    "hessian_block_product": Proof("hessian_product", BY_DIFFERENCES, "hessian_block_product", PRODUCTS),
    "curvature_along": Proof("curvature_along", 41, "curvature_along", MODEL),
    "quadratic_model": Proof("model_along", 39, "quadratic_model", MODEL),
    "step_size": Proof("step_size", 39, "step_size", MODEL),
    "reduction_ratio": Proof("reduction_ratio", 42, "reduction_ratio", MODEL),
    "omega": Proof("omega", 38, "omega", "algebra/test_omega.py::test_omega"),
    "kronecker_matvec": Proof(
        "factored_product",
        "exact/test_balls.py::test_an_error_of_the_reference_is_seen",
        "KroneckerBlock.matvec",
        "algebra/test_kronecker.py::test_products",
    ),
    "kronecker_trace": Proof(
        "trace",
        "reference/test_linear_algebra.py::test_trace",
        "KroneckerBlock.trace",
        "algebra/test_kronecker.py::test_products",
    ),
    **{f"solve_{norm}": Proof(*SOLVED) for norm in ("trace", "frobenius", "spectral")},
    "solve_exact": Proof("exact_direction", "reference/test_spectral.py::test_exact_direction", *SOLVED[2:]),
    "logdet_trace": Proof("factored_log_determinant", LOGDETS, "KroneckerBlock.logdet", SOLVED[3]),
    "logdet_exact": Proof("exact_log_determinant", LOGDETS, "KroneckerBlock.logdet", SOLVED[3]),
    "conjugate_gradients": Proof("direction", 33, "solve_gauss_newton", "products/test_solves.py::test_full"),
    "block_conjugate_gradients": Proof(
        "layer_directions", 34, "solve_gauss_newton_blocks", "products/test_solves.py::test_blocks"
    ),
    "shared_loss": shared(
        "loss", "exact_cases", "test_a_mean_over_positions_divides_once", "loss", "test_loss_and_gradient"
    ),
    "shared_gradient": shared("gradient", "autodiff", "test_exact_blocks", "gradient", "test_loss_and_gradient"),
    "shared_hessian_blocks": shared(
        "hessian_blocks", "autodiff", "test_exact_blocks", "hessian_blocks", "test_exact_blocks"
    ),
    "shared_gauss_newton_blocks": shared(
        "gauss_newton_blocks", "autodiff", "test_exact_blocks", "gauss_newton_blocks", "test_exact_blocks"
    ),
    "expand_q": shared("expand", "exact_cases", "test_a_loss_per_token", "kflr", "test_kflr"),
    "expand_g": shared("expand", "exact_cases", "test_a_loss_per_token", "kflr", "test_kflr"),
    "reduce_q": shared("reduce", "exact_cases", "test_circular_convolutions", "kflr", "test_kflr"),
    "reduce_g": shared(
        "reduce", "exact_cases", "test_the_second_factor_of_reduce_is_the_block_of_the_bias", "kflr", "test_kflr"
    ),
    "expand_blocks": shared("expand", "exact_cases", "test_a_loss_per_token", "kflr", "test_kflr"),
    "reduce_blocks": shared("reduce", "exact_cases", "test_circular_convolutions", "kflr", "test_kflr"),
    "expand_kfac_blocks": shared(
        "sampled_pairs", "pairs", "test_sampled_labels_have_the_exact_mean", "kfac", "test_kfac"
    ),
    "reduce_kfac_blocks": shared(
        "sampled_pairs", "pairs", "test_sampled_labels_have_the_exact_mean", "kfac", "test_kfac"
    ),
    "kfra_over_positions": shared("kfra_over_positions", "kfra", "test_over_positions_for_one_datapoint"),
    "kfra_over_tokens": shared(
        "kfra_over_tokens",
        "kfra",
        "test_over_tokens_is_the_paper_with_tokens_as_datapoints",
        "kfra",
        "test_kfra_over_taps",
    ),
    "kfra_over_taps": shared("kfra_over_taps", "kfra", "test_closed_form_over_taps", "kfra", "test_kfra_over_taps"),
    "ekfac_blocks": approximation("ekfac", "test_order_of_the_errors", "test_ekfac"),
    "ekfac_diagonal": approximation(
        "ekfac_diagonal", "test_ekfac_diagonal_is_that_of_the_exact_block", "test_ekfac_diagonal"
    ),
    "kfoc_blocks": approximation("kfoc", "test_order_of_the_errors"),
    "tkfac_blocks": approximation("tkfac", "test_tnt_and_tkfac_by_definition"),
    "tnt_blocks": approximation("tnt", "test_tnt_and_tkfac_by_definition"),
    "optimiser_step": Proof(
        "optimiser_step",
        "reference/test_optimiser.py::test_steps",
        "GaussNewton.step",
        "optimisers/test_directions.py::test_kronecker_factors",
    ),
    "optimiser_step of EKFAC": Proof(
        "shared_weights.ekfac_step",
        "reference/shared_weights/test_ekfac_step.py::test_steps_are_those_of_dense_matrices",
        "EigenvalueCorrected",
        "optimisers/test_eigenvalue_corrected.py::test_averages",
    ),
}


def quantity_of(name: str) -> str:
    """The quantity of a line: its first word, since a method of a quantity may have a separate line."""
    return name.partition(" ")[0]


def object_of(package: Any, name: str) -> Callable[..., Any]:
    """The function of a dotted name of a package, without the functions that wrap it."""
    found = package
    for part in name.split("."):
        found = getattr(found, part)
    return inspect.unwrap(found)


def source(function: Callable[..., Any]) -> Path:
    """The file of a function."""
    file = inspect.getsourcefile(function)
    assert file is not None
    return Path(file)


def reference_test(proof: Proof) -> str:
    """The test of the reference by its path from the root of the repository and its name."""
    if isinstance(proof.reference_test, int):
        return ref.EQUATIONS[proof.reference_test].test
    return f"tests/{proof.reference_test}"


def row_file(quantity: Any) -> Path:
    """The module of the kit that has the row of a quantity."""
    for module in pkgutil.walk_packages(quantities.__path__, f"{quantities.__name__}."):
        if module.ispkg:
            continue
        found = importlib.import_module(module.name)
        if any(isinstance(value, tuple) and quantity in value for value in vars(found).values()):
            return Path(str(found.__file__))
    raise LookupError(f"{quantity.name}: expected a row in a module of {quantities.__name__}, got none")


def link(text: str, path: Path | str) -> str:
    """A link of the README to a file, by its path from the folder of the README."""
    inside = (ROOT / path).relative_to(ROOT).as_posix()
    return f"[{text}]({inside.removeprefix('tests/') if inside.startswith('tests/') else f'../{inside}'})"


def link_to_test(node: str) -> str:
    """A link to the file of a test with the name of the file as its text."""
    path = node.partition("::")[0]
    return link(Path(path).stem, path)


def row(name: str) -> tuple[str, ...]:
    """The cells of a quantity."""
    proof, quantity, of_method = PROOFS[name], quantities.ROWS[quantity_of(name)], name.partition(" ")[2]
    kit = link("row", row_file(quantity))
    port = ("", "")
    if proof.port:
        function = link(f"`{proof.port}`", source(object_of(kfgn, proof.port)))
        port = function, link_to_test(f"tests/port/{proof.port_test}")
        kit += f", {link('adapter', ADAPTER)}"
    return (
        f"`{quantity.name}` {of_method}".rstrip(),
        quantity.equation,
        link(f"`{proof.reference}`", source(object_of(ref, proof.reference))),
        link_to_test(reference_test(proof)),
        *port,
        kit,
    )


def table() -> str:
    """The table in Markdown."""
    rows = [
        HEADS,
        ("---",) * len(HEADS),
        *map(row, sorted(PROOFS, key=lambda name: [*quantities.ROWS].index(quantity_of(name)))),
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def readme() -> str:
    """The README with the table as it is computed now."""
    head, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    README.write_text(readme(), encoding="utf-8")
    sys.exit(0)
