"""Wrong or altered files of data sets: one line names the file, and no code in the file is executed."""

import gzip
import pickle

import numpy as np
import pytest

from kfgn.lab.cli import main

from .alterations import alterations, restore
from .commands import call, fault_of_error


def images(shape=(400, 64, 64), dtype=np.uint8):
    return np.zeros(shape, dtype)


def place(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def npz(folder, **arrays):
    path = folder / "faces" / "olivetti.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path


def idx(shape, dtype=np.uint8):
    header = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
    return header + images(shape, dtype).tobytes()


def fault_of_training(data, folder, *names):
    """Return the fault of the error message about wrong files, or an empty text."""
    done = call(main, "train", "--data", data, "--updates", 1, "--data-folder", folder, "--out", folder / "run")
    return fault_of_error(done, *names) if done.status == 2 else f"expected status 2, got {done}"


@pytest.mark.parametrize(
    "arrays",
    [
        {"images": images((400, 64, 63))},
        {"images": images(dtype=np.float64)},
        {"images": images((0,))},
        {"images": np.array(3)},
        {"others": images()},
        {"images": np.array([[1], [1, 2]], dtype=object)},
        {"images": images()},
    ],
    ids=["shape", "dtype", "empty", "no axis", "name", "objects", "other images"],
)
def test_other_arrays(arrays, tmp_path):
    npz(tmp_path, **arrays)
    assert fault_of_training("faces", tmp_path, "olivetti.npz") == ""


class Runs:
    """An object that fails the test when it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("the pickle was read",))


def test_pickles_are_not_read(tmp_path):
    place(tmp_path, "faces/olivetti.npz", pickle.dumps(Runs()))
    assert fault_of_training("faces", tmp_path, "olivetti.npz") == ""
    npz(tmp_path, images=np.array([Runs()], dtype=object))
    assert fault_of_training("faces", tmp_path, "olivetti.npz") == ""


@pytest.mark.parametrize("data", ["faces", "mnist"])
def test_altered(data, tmp_path, alterations_of_each):
    good, folder, faults = tmp_path / "good", tmp_path / "folder", []
    files = {
        "faces": {"faces/olivetti.npz": None, "faces/olivettifaces.mat": b"MATLAB 5.0 MAT-file" + bytes(500)},
        "mnist": {
            "mnist/train-images-idx3-ubyte.gz": gzip.compress(idx((20, 28, 28))),
            "mnist/train-images-idx3-ubyte": idx((20, 28, 28)),
        },
    }[data]
    for name, content in files.items():
        path = place(good, name, content) if content else npz(good, images=images())
        for alteration in alterations(path, alterations_of_each // 2, seed=8):
            restore(folder, good)
            alteration.apply(folder / name)
            try:
                fault = fault_of_training(data, folder, path.name.partition(".")[0])
            except Exception as error:
                fault = f"{type(error).__name__}: {error}"
            if fault:
                faults.append(f"{alteration.name}: {fault}")
        path.unlink()
    assert not faults, "\n".join(faults)
