"""The data sets of the experiments, by name.

    images = load("curves")

* digits: 1,797 handwritten digits of 8x8 pixels, which kfgn contains
* curves: 20,000 generated curves of 28x28 pixels, a surrogate of the data set CURVES
* mnist:  the 50,000 handwritten digits of 28x28 pixels on which the paper trains
* faces:  103,500 patches of 25x25 pixels, made from 250 of the 400 Olivetti faces

`load` returns the training images of a data set. `load_with_held_out` also returns the validation and test images, if
the data set has them. The data sets mnist and faces need files: see `load`.
"""

from collections.abc import Callable

from ..._validation.scalars import checked_name
from .curves import load_curves
from .digits import load_digits
from .faces import faces_with_held_out, load_faces
from .images import Images, Report, silent
from .mnist import load_mnist
from .store import DataUnavailableError, Folder, checked_folder

__all__ = ["DATA_SETS", "DataUnavailableError", "Images", "load"]

DATA_SETS: dict[str, Callable[[Folder], Images]] = {
    "digits": lambda folder: load_digits(),
    "curves": lambda folder: load_curves(),
    "mnist": load_mnist,
    "faces": load_faces,
}
"""For each data set, the function that loads its training images. The argument is the folder of the data files."""


def load(name: str, folder: Folder = None) -> Images:
    """Load the training images of a data set. Every call returns the same images.

    Parameters
    ----------
    name : str
        "digits", "curves", "mnist" or "faces".
    folder : path, optional
        The folder of the files. The data set "mnist" needs mnist/train-images-idx3-ubyte and
        mnist/train-labels-idx1-ubyte, or the same files packed, with the suffix .gz. The data set "faces" needs
        faces/olivetti.npz or faces/olivettifaces.mat. With folder=None, the environment variable KFGN_DATA names the
        folder. Without the variable, the folder is pooch's cache for kfgn, into which missing files are downloaded.
        Files that are missing in a named folder are not downloaded.

    Returns
    -------
    Images

    Raises
    ------
    ValueError
        The name is unknown.
    TypeError
        The folder is not a path.
    DataUnavailableError
        A file is missing, has wrong content or cannot be downloaded, or a library that the data set needs is not
        installed.

    Examples
    --------
    >>> from kfgn.lab.data import load
    >>> images = load("digits")
    >>> images.pixels.shape, images.labels[:5].tolist()
    ((1797, 64), [0, 1, 2, 3, 4])
    """
    return DATA_SETS[checked_name("name", name, tuple(DATA_SETS))](checked_folder(folder))


def load_with_held_out(name: str, folder: Folder = None, report: Report = silent) -> tuple[Images, ...]:
    """Load the training, validation and test images of a data set. The data set digits has only training images.

    The validation set of mnist is the last 10,000 of the 60,000 training images. The validation and test curves are
    generated in the same way as the training curves. The validation and test faces show people who are not in the
    training set. `report` receives lines about the progress of the generation of images. Raises the errors of `load`.
    """
    folder = checked_folder(folder)
    parts = ("train", "validation", "test")
    if name == "mnist":
        return tuple(load_mnist(folder, part) for part in parts)
    if name == "curves":
        return tuple(load_curves(part, report) for part in parts)
    if name == "faces":
        return faces_with_held_out(folder, report=report)
    return (load(name, folder),)
