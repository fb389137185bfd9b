"""The data sets: what comes out is exact, and whatever is wrong with a file is refused in one sentence naming it.

MNIST itself is read where BNSYM_MNIST_DIR says. Everything else runs on small made-up files and a made-up network.
"""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bnsym.train import data
from bnsym.train.data import DataError, Dataset, load, load_digits, load_mnist
from tests.idx_files import idx
from tests.mnist_files import IMAGES, LABELS, assert_binary, assert_made_up, flip_last_bit, set_sum

# digits


def test_digits_are_binary_and_split():
    digits = load_digits()
    assert isinstance(digits, Dataset)
    assert (digits.name, digits.width, digits.classes) == ("digits", 64, 10)
    assert_binary(digits.train_images, (1437, 64))
    assert_binary(digits.test_images, (360, 64))
    assert digits.train_labels.dtype == digits.test_labels.dtype == np.int64
    assert set(digits.train_labels) == set(digits.test_labels) == set(range(10))


def test_digits_hold_out_the_last_and_cut_at_8_of_16():
    from sklearn.datasets import load_digits as bundled

    digits, raw = load_digits(), bundled()
    assert (raw.data == 8).any()  # else the cut could as well be above 8
    np.testing.assert_array_equal(np.concatenate([digits.train_images, digits.test_images]), raw.data >= 8)
    np.testing.assert_array_equal(np.concatenate([digits.train_labels, digits.test_labels]), raw.target)


# MNIST in a directory of made-up files


def test_a_directory_of_plain_files(directory):
    assert_made_up(load_mnist(directory))
    assert_made_up(load("mnist", directory))


@pytest.mark.parametrize("level", [1, 9])
def test_the_compressor_does_not_matter(directory, made_up, level):
    for name, content in made_up.items():
        (directory / name).unlink()
        (directory / f"{name}.gz").write_bytes(gzip.compress(content, level))
    assert_made_up(load_mnist(directory))


def test_a_pixel_is_1_above_127(directory, monkeypatch):
    content = idx(np.repeat([0, 1, 127, 128, 255], 6).reshape(5, 2, 3))
    (directory / IMAGES).write_bytes(content)
    set_sum(monkeypatch, IMAGES, content)
    np.testing.assert_array_equal(load_mnist(directory).train_images[:, 0], [0, 0, 0, 1, 1])


@pytest.mark.parametrize("name", list(data.MNIST_SHA256))
@pytest.mark.parametrize("compressed", [False, True])
def test_one_flipped_bit_is_refused(directory, made_up, name, compressed):
    content, path = flip_last_bit(made_up[name]), directory / (f"{name}.gz" if compressed else name)
    (directory / name).unlink()
    path.write_bytes(gzip.compress(content) if compressed else content)
    with pytest.raises(DataError, match=r"SHA-256 sum is [0-9a-f]{64}, expected") as caught:
        load_mnist(directory)
    assert str(caught.value).startswith(f"{path} has other content than MNIST's")
    assert str(caught.value).endswith(data.MNIST_SHA256[name])


@pytest.mark.parametrize("name", list(data.MNIST_SHA256))
def test_a_missing_file_is_named(directory, name):
    (directory / name).unlink()
    with pytest.raises(DataError, match=f"mnist holds neither {name} nor {name}.gz"):
        load_mnist(directory)


def test_a_missing_directory_is_named(tmp_path):
    (tmp_path / "file").touch()
    for name in ("absent", "file"):
        with pytest.raises(DataError, match=f"{name} is not a directory, expected one that holds {IMAGES}"):
            load_mnist(tmp_path / name)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([1, 2, 3, 4], rf"{LABELS} has 4 labels, expected 5, as many as .*{IMAGES}$"),
        ([1, 2, 3, 4, 10], rf"{LABELS} has the label 10, expected labels from 0 to 9$"),
    ],
)
def test_labels_that_do_not_fit_are_refused(directory, monkeypatch, labels, sentence):
    (directory / LABELS).write_bytes(idx(labels))
    set_sum(monkeypatch, LABELS, idx(labels))
    with pytest.raises(DataError, match=sentence):
        load_mnist(directory)


# names and extras


def test_another_name_lists_the_known_ones():
    with pytest.raises(DataError, match=r"^there is no data set 'cifar', expected one of: digits, mnist$"):
        load("cifar")


def test_digits_by_name_need_no_directory(tmp_path):
    assert load("digits").name == load("digits", tmp_path / "absent").name == "digits"


@pytest.mark.parametrize(("name", "module"), [("digits", "sklearn.datasets"), ("mnist", "pooch")])
def test_a_missing_extra_is_named(monkeypatch, name, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DataError, match=rf"^{module} could not be imported .*pip install 'bnsym\[train\]'$"):
        load(name)


def test_importing_the_module_imports_no_extra_and_no_sympy():
    code = "import sys, bnsym.train.data; print({'sklearn', 'pooch', 'requests', 'sympy'} & set(sys.modules) or 'none')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "none"


# MNIST itself

MNIST_DIR = os.environ.get("BNSYM_MNIST_DIR")
needs_mnist = pytest.mark.skipif(MNIST_DIR is None, reason="BNSYM_MNIST_DIR is not set: MNIST itself is not tested")


@pytest.fixture(scope="module")
def mnist():
    return load_mnist(Path(MNIST_DIR))


@needs_mnist
def test_mnist_is_binary_and_whole(mnist):
    assert (mnist.name, mnist.width, mnist.classes) == ("mnist", 784, 10)
    assert_binary(mnist.train_images, (60000, 784))
    assert_binary(mnist.test_images, (10000, 784))
    assert mnist.train_labels.dtype == mnist.test_labels.dtype == np.int64
    # The published counts of each digit.
    assert np.bincount(mnist.train_labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@needs_mnist
def test_mnist_images_stand_beside_their_labels(mnist):
    """The nearest mean image names most digits; labels out of step by one would name a tenth of them."""
    means = np.stack([mnist.train_images[mnist.train_labels == digit].mean(axis=0) for digit in range(10)])
    nearest = (mnist.test_images @ means.T - (means**2).sum(axis=1) / 2).argmax(axis=1)
    assert (nearest == mnist.test_labels).mean() > 0.75


@needs_mnist
def test_one_flipped_bit_in_mnist_itself_is_refused(tmp_path, mnist):
    for name in data.MNIST_SHA256:
        content = data.read_content(data._find(Path(MNIST_DIR), name))
        (tmp_path / name).write_bytes(flip_last_bit(content) if name == "t10k-labels-idx1-ubyte" else content)
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte has other content than MNIST's"):
        load_mnist(tmp_path)
