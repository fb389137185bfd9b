"""The data sets: what comes out is exact, and whatever is wrong with a file is refused in one sentence naming it.

MNIST itself is read where BNSYM_MNIST_DIR says. Everything else runs on small made-up files and a made-up network.
"""

import gzip
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pooch
import pytest
import requests

from bnsym.train import data
from bnsym.train.data import DataError, Dataset, load, load_digits, load_mnist
from tests.idx_files import idx

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
MIRRORS = ("https://first.example/", "https://second.example/")


def flip_last_bit(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def assert_binary(images, shape):
    assert images.shape == shape
    assert images.dtype == np.float32
    assert images.flags.c_contiguous
    assert set(np.unique(images)) == {0.0, 1.0}


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


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Five training and three test images of 2 by 3 pixels, as {file name: content}, with their sums in the table."""
    contents = {}
    for split, count in (("train", 5), ("t10k", 3)):
        contents[f"{split}-images-idx3-ubyte"] = idx(np.arange(count * 6).reshape(count, 2, 3) * 37 % 256)
        contents[f"{split}-labels-idx1-ubyte"] = idx(np.arange(count) * 9 // (count - 1))
    for name, content in contents.items():
        set_sum(monkeypatch, name, content)
    return contents


def set_sum(monkeypatch, name, content):
    monkeypatch.setitem(data.MNIST_SHA256, name, hashlib.sha256(content).hexdigest())


@pytest.fixture
def directory(tmp_path, made_up):
    path = tmp_path / "mnist"
    path.mkdir()
    for name, content in made_up.items():
        (path / name).write_bytes(content)
    return path


def assert_made_up(mnist):
    assert (mnist.name, mnist.width, mnist.classes) == ("mnist", 6, 10)
    assert_binary(mnist.train_images, (5, 6))
    assert_binary(mnist.test_images, (3, 6))
    np.testing.assert_array_equal(mnist.train_images, (np.arange(30) * 37 % 256 > 127).reshape(5, 6))
    np.testing.assert_array_equal(mnist.train_labels, [0, 2, 4, 6, 9])
    np.testing.assert_array_equal(mnist.test_labels, [0, 4, 9])
    assert mnist.train_labels.dtype == mnist.test_labels.dtype == np.int64


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


# MNIST from a made-up network


class Network:
    """Stands in for pooch's HTTP downloader: answers for each mirror with the files' content, or with an error."""

    def __init__(self, contents):
        self.answers = dict.fromkeys(MIRRORS, lambda name: gzip.compress(contents[name]))
        self.asked = []

    def __call__(self):
        return self.download

    def download(self, url, output_file, registry):
        mirror = next(mirror for mirror in MIRRORS if url.startswith(mirror))
        self.asked.append(url)
        output_file.write(self.answers[mirror](url.removeprefix(mirror).removesuffix(".gz")))


def unreachable(name):
    raise requests.exceptions.ConnectionError("no route")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path / "cache" / "bnsym"


@pytest.fixture
def network(made_up, cache, monkeypatch):
    network = Network(made_up)
    monkeypatch.setattr(pooch, "HTTPDownloader", network)
    monkeypatch.setattr(data, "MNIST_MIRRORS", MIRRORS)
    return network


def files(cache):
    return {path.name: path.read_bytes() for path in cache.iterdir()}


def test_files_are_fetched_once(network, cache, made_up):
    assert_made_up(load_mnist())
    assert network.asked == [f"{MIRRORS[0]}{name}.gz" for name in made_up]
    assert files(cache) == made_up
    assert_made_up(load("mnist"))
    assert len(network.asked) == 4


def test_a_mirror_may_send_them_uncompressed(network, made_up):
    network.answers[MIRRORS[0]] = made_up.__getitem__
    assert_made_up(load_mnist())


def http_error(name):
    raise requests.exceptions.HTTPError("503")


def bad(change):
    return lambda contents: lambda name: change(contents[name])


BAD_ANSWERS = {
    "unreachable": lambda contents: unreachable,
    "http error": lambda contents: http_error,
    "web page": bad(lambda content: b"<html>Please log in</html>"),
    "flipped bit": bad(lambda content: gzip.compress(flip_last_bit(content))),
    "cut short": bad(lambda content: gzip.compress(content)[:-10]),
    "empty": bad(lambda content: b""),
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_the_second_mirror_is_used_when_the_first_fails(network, cache, made_up, answer):
    network.answers[MIRRORS[0]] = answer(made_up)
    assert_made_up(load_mnist())
    assert network.asked == [f"{mirror}{name}.gz" for name in made_up for mirror in MIRRORS]
    assert files(cache) == made_up


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_nothing_bad_stays_in_the_cache_and_the_next_run_retries(network, cache, made_up, answer):
    good = dict(network.answers)
    network.answers = dict.fromkeys(MIRRORS, answer(made_up))
    with pytest.raises(DataError, match=rf"^could not fetch {IMAGES}.gz into .*; give --data-dir with the four files$"):
        load_mnist()
    assert files(cache) == {}
    network.answers = good
    assert_made_up(load_mnist())


def test_the_sentence_says_what_each_mirror_did(network, cache, made_up):
    network.answers = {MIRRORS[0]: unreachable, MIRRORS[1]: BAD_ANSWERS["flipped bit"](made_up)}
    why = r"\(first.example: ConnectionError, second.example: sent other content than MNIST's\)"
    with pytest.raises(DataError, match=why):
        load_mnist()


def test_what_was_fetched_is_kept_when_a_later_file_fails(network, cache, made_up):
    network.answers = dict.fromkeys(MIRRORS, lambda name: made_up[name] if name == IMAGES else unreachable(name))
    with pytest.raises(DataError, match=f"could not fetch {LABELS}.gz"):
        load_mnist()
    assert files(cache) == {IMAGES: made_up[IMAGES]}


def test_a_cached_file_that_went_bad_is_replaced(network, cache, made_up):
    load_mnist()
    (cache / LABELS).write_bytes(flip_last_bit(made_up[LABELS]))
    assert_made_up(load_mnist())
    assert network.asked[4:] == [f"{MIRRORS[0]}{LABELS}.gz"]
    assert files(cache) == made_up


def test_a_cached_file_that_went_bad_is_not_used_without_a_network(network, cache, made_up):
    load_mnist()
    (cache / LABELS).write_bytes(flip_last_bit(made_up[LABELS]))
    network.answers = dict.fromkeys(MIRRORS, unreachable)
    with pytest.raises(DataError, match=f"could not fetch {LABELS}.gz"):
        load_mnist()


def test_a_cache_that_cannot_be_written_is_named(network, cache):
    cache.parent.mkdir()
    cache.touch()
    with pytest.raises(DataError, match=rf"could not fetch {IMAGES}.gz into {cache} \(first.example: \w+Error, "):
        load_mnist()


def test_a_data_directory_needs_no_network(network, directory):
    network.answers = {}
    load_mnist(directory)
    assert network.asked == []


def test_the_downloader_is_asked_as_pooch_has_it(tmp_path, monkeypatch):
    """The real downloader, over a made-up connection: the stand-in above must not be all that works."""
    response = requests.Response()
    response.status_code, response.raw = 200, io.BytesIO(gzip.compress(b"content"))
    monkeypatch.setattr(requests, "get", lambda url, **_: response)
    data._download_unpacked("https://first.example/x.gz", str(tmp_path / "x"), None)
    assert (tmp_path / "x").read_bytes() == b"content"


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
