"""The data sets of the trainer: MNIST as the paper used it (binary images), and small digits that need no network."""

import hashlib
import importlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from bnsym.train.idx import DataError, parse_idx, read_content, unpack

__all__ = ["DATASETS", "DataError", "Dataset", "load", "load_digits", "load_mnist"]

Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

CLASSES = 10
DIGITS_HELD_OUT = 360
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# Of the uncompressed content: the bytes of a gzip file differ from one compressor to the next.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value to compare or hash by
class Dataset:
    """Binary images with their labels, split into training and test examples.

    Images are float32, C-contiguous, of shape (examples, pixels), and every value is exactly 0.0 or 1.0; labels are
    int64, of shape (examples,), from 0 to 9. `name` is what `load` knows the set by.
    """

    name: str
    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels

    @property
    def width(self) -> int:
        """The number of pixels of one image."""
        return int(self.train_images.shape[1])

    @property
    def classes(self) -> int:
        """The number of labels there are."""
        return CLASSES


def load(name: str, data_dir: Path | None = None) -> Dataset:
    """Load a data set by name: `digits` (which needs no data_dir) or `mnist`; DataError for another name."""
    if name not in DATASETS:
        raise DataError(f"there is no data set {name!r}, expected one of: {', '.join(DATASETS)}")
    return DATASETS[name](data_dir)


def load_digits() -> Dataset:
    """Load the 8x8 digits that scikit-learn brings along: 1437 examples to train on, the last 360 to test on.

    A pixel counts how many of its 16 dots are ink; it is 1 where at least 8 of them are. DataError when scikit-learn
    is not installed.
    """
    bunch = _from_extra("sklearn.datasets").load_digits()
    images, labels = _binary(bunch.data >= 8), bunch.target.astype(np.int64)
    train, test = slice(None, -DIGITS_HELD_OUT), slice(-DIGITS_HELD_OUT, None)
    return Dataset("digits", images[train], labels[train], images[test], labels[test])


def load_mnist(data_dir: Path | None = None) -> Dataset:
    """Load MNIST, 60000 images of 784 pixels to train on and 10000 to test on; a pixel above 127 is 1.

    `data_dir` holds the four idx files, each with or without `.gz` (without is taken where both are there). When it is
    None they are fetched once into the user's cache, where they lie uncompressed. DataError when a file is missing or
    damaged, when its content is not MNIST's, or when no mirror could be reached.
    """
    directory = _fetch_mnist() if data_dir is None else data_dir
    train = _read_split(directory, "train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    test = _read_split(directory, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    return Dataset("mnist", *train, *test)


# To add a data set, add one line.
DATASETS: dict[str, Callable[[Path | None], Dataset]] = {
    "digits": lambda _: load_digits(),
    "mnist": load_mnist,
}


def _read_split(directory: Path, images_name: str, labels_name: str) -> tuple[Images, Labels]:
    """Read a file of images and the file of their labels; DataError when the two do not belong together."""
    images_path, labels_path = _find(directory, images_name), _find(directory, labels_name)
    images = _read_checked(images_path, MNIST_SHA256[images_name])
    labels = _read_checked(labels_path, MNIST_SHA256[labels_name])
    if len(images) != len(labels):
        raise DataError(f"{labels_path} has {len(labels)} labels, expected {len(images)}, as many as {images_path}")
    if (labels >= CLASSES).any():
        raise DataError(f"{labels_path} has the label {labels.max()}, expected labels from 0 to {CLASSES - 1}")
    return _binary(images.reshape(len(images), -1) > 127), labels.astype(np.int64)


def _find(directory: Path, name: str) -> Path:
    """Return the path of a file that may be compressed; DataError when neither form is in the directory."""
    if not directory.is_dir():
        raise DataError(f"{directory} is not a directory, expected one that holds {', '.join(MNIST_SHA256)}")
    for path in (directory / name, directory / f"{name}.gz"):
        if path.exists():
            return path
    raise DataError(f"{directory} holds neither {name} nor {name}.gz, expected one of them")


def _read_checked(path: Path, sha256: str) -> npt.NDArray[np.uint8]:
    """Read an idx file whose uncompressed content has this SHA-256 sum; DataError when it has another."""
    content = read_content(path)
    array = parse_idx(content, str(path))  # before the sum: what is wrong with the form says more than a sum does
    came = hashlib.sha256(content).hexdigest()
    if came != sha256:
        raise DataError(f"{path} has other content than MNIST's: its SHA-256 sum is {came}, expected {sha256}")
    return array


def _binary(ink: npt.NDArray[np.bool_]) -> Images:
    """Return 1.0 where there is ink and 0.0 elsewhere."""
    return np.ascontiguousarray(ink, dtype=np.float32)


def _fetch_mnist() -> Path:
    """Return the user's cache directory, with all four files in it; those that are there and whole are kept."""
    cache = Path(_from_extra("pooch").os_cache("bnsym"))
    for name in MNIST_SHA256:
        _fetch(name, cache)
    return cache


def _fetch(name: str, cache: Path) -> None:
    """Fetch one file from the first mirror that has it; DataError when none does, and then nothing is written."""
    retrieve, known_hash = _from_extra("pooch").retrieve, f"sha256:{MNIST_SHA256[name]}"
    failures = []
    for mirror in MNIST_MIRRORS:
        try:
            # pooch writes to a temporary file, which takes the name only when its sum is right.
            retrieve(f"{mirror}{name}.gz", known_hash, fname=name, path=cache, downloader=_download_unpacked)
            return
        except OSError as error:  # what requests raises is an OSError too
            failures.append(f"{urlsplit(mirror).hostname}: {type(error).__name__}")
        except (DataError, ValueError):  # a damaged gzip file, or pooch's own word for a wrong sum
            failures.append(f"{urlsplit(mirror).hostname}: sent other content than MNIST's")
    why = ", ".join(failures)
    raise DataError(f"could not fetch {name}.gz into {cache} ({why}); give --data-dir with the four files")


def _download_unpacked(url: str, output_file: str, _registry: object) -> None:
    """Download and decompress, for pooch: so the sum that it checks is that of the uncompressed content."""
    packed = io.BytesIO()
    _from_extra("pooch").HTTPDownloader()(url, packed, None)
    Path(output_file).write_bytes(unpack(packed.getvalue(), url))


def _from_extra(module: str) -> ModuleType:
    """Import a module only when a data set asks for it; DataError, with the extra to install, when it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DataError(f"{module} could not be imported ({error}), try: pip install 'bnsym[train]'") from error
