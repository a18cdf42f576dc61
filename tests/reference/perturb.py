"""Check that the test of each equation fails if its function is wrong: `python tests/reference/perturb.py`.

Each function of the registry is replaced by one whose result is larger by one part in a million (a bool is negated, a
rank is raised by one). Then the test that the registry names is run, and must fail. Only the public name and the name
in the function's own module are replaced, so an identity is perturbed on one side only.
"""

import contextlib
import io
import multiprocessing
import sys
from pathlib import Path

import kfgn_reference
import numpy as np
import pytest
import torch  # noqa: F401  (before the fork: importing it takes longer than a test)

ROOT = Path(__file__).parents[2]


def perturbed(answer):
    """The result with every number in it perturbed."""
    if isinstance(answer, (bool, np.bool_)):
        return not answer
    if isinstance(answer, (int, np.integer)):
        return answer + 1
    if isinstance(answer, dict):
        return {key: perturbed(value) for key, value in answer.items()}
    if isinstance(answer, tuple) and hasattr(answer, "_fields"):
        return type(answer)(*map(perturbed, answer))
    if isinstance(answer, (tuple, list)):
        return type(answer)(map(perturbed, answer))
    return answer + answer / 10**6


def outcome(task):
    """The exit status of the test of an equation with the function perturbed, or unperturbed for None."""
    number, function = task
    if function is not None:

        def wrong(*arguments, **options):
            return perturbed(function(*arguments, **options))

        for home in (kfgn_reference, sys.modules[function.__module__]):
            for name, value in list(vars(home).items()):
                if value is function:
                    setattr(home, name, wrong)
    with contextlib.redirect_stdout(io.StringIO()):
        status = pytest.main(["-q", "-x", "-p", "no:cacheprovider", str(ROOT / kfgn_reference.EQUATIONS[number].test)])
    return number, function and function.__name__, int(status)


def main():
    tasks = [(n, f) for n, equation in kfgn_reference.EQUATIONS.items() for f in (None, *equation.functions)]
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        outcomes = pool.map(outcome, tasks, chunksize=1)
    failed = pytest.ExitCode.TESTS_FAILED
    wrong = [f"({n}): its test does not pass" for n, name, status in outcomes if name is None and status != 0]
    wrong += [f"({n}): {name} perturbed, not noticed" for n, name, status in outcomes if name and status != failed]
    functions = sum(name is not None for _, name, _ in outcomes)
    print(*wrong, f"{functions - len(wrong)} of {functions} perturbations noticed", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
