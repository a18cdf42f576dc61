"""The images that the experiments train on, by name.

    images = load("curves")

* digits: 1,797 handwritten digits of 8x8 pixels, which come with kfgn
* curves: 20,000 drawn curves of 28x28 pixels, generated; a surrogate of CURVES
* mnist:  the 50,000 handwritten digits of 28x28 pixels that the paper trains on
* faces:  103,500 patches of 25x25 pixels, made from the 400 Olivetti faces

The last two need files: see `load`.
"""

from collections.abc import Callable

from ..._validation.scalars import checked_name
from .curves import load_curves
from .digits import load_digits
from .faces import load_faces
from .images import Images
from .mnist import load_mnist
from .store import DataUnavailableError, Folder, checked_folder

__all__ = ["DATA_SETS", "DataUnavailableError", "Images", "load"]

DATA_SETS: dict[str, Callable[[Folder], Images]] = {
    "digits": lambda folder: load_digits(),
    "curves": lambda folder: load_curves(),
    "mnist": load_mnist,
    "faces": load_faces,
}
"""What loads each data set, given the folder that holds the files."""


def load(name: str, folder: Folder = None) -> Images:
    """The data set of that name, the same images at every call.

    folder: the folder of mnist/train-images-idx3-ubyte.gz and mnist/train-labels-idx1-ubyte.gz, either of which may be
            unpacked, and of faces/olivetti.npz or faces/olivettifaces.mat. None is the folder that the environment
            variable KFGN_DATA names or, without it, pooch's cache for kfgn, into which what is missing is downloaded.
            What is missing in a folder that is named is an error.

    Raises `ValueError` for a name that is not known, `TypeError` for a folder that is no path, and
    `DataUnavailableError` if a file is missing, is not the expected one or cannot be downloaded, or if a library is
    missing that the data set needs.
    """
    return DATA_SETS[checked_name("name", name, tuple(DATA_SETS))](checked_folder(folder))
