"""Importing `kfgn.interop` with and without PyTorch."""

import subprocess
import sys


def run(program):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_package_does_not_import_torch():
    done = run("import sys, kfgn.interop; print('torch' in sys.modules)")
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_without_torch_the_error_says_what_installs_it():
    done = run("import sys; sys.modules['torch'] = None\nimport kfgn.interop.torch")
    last = done.stderr.splitlines()[-1]
    assert last == "ModuleNotFoundError: torch is not installed: pip install 'kfgn[torch]'"
