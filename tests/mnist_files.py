"""Made-up MNIST files: their names, what is in them, and what their sums are said to be."""

import hashlib

import numpy as np

from bnsym.train import data

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
MIRRORS = ("https://first.example/", "https://second.example/")


def flip_last_bit(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def assert_binary(images, shape):
    assert images.shape == shape
    assert images.dtype == np.float32
    assert images.flags.c_contiguous
    assert set(np.unique(images)) == {0.0, 1.0}


def set_sum(monkeypatch, name, content):
    monkeypatch.setitem(data.MNIST_SHA256, name, hashlib.sha256(content).hexdigest())


def assert_made_up(mnist):
    assert (mnist.name, mnist.width, mnist.classes) == ("mnist", 6, 10)
    assert_binary(mnist.train_images, (5, 6))
    assert_binary(mnist.test_images, (3, 6))
    np.testing.assert_array_equal(mnist.train_images, (np.arange(30) * 37 % 256 > 127).reshape(5, 6))
    np.testing.assert_array_equal(mnist.train_labels, [0, 2, 4, 6, 9])
    np.testing.assert_array_equal(mnist.test_labels, [0, 4, 9])
    assert mnist.train_labels.dtype == mnist.test_labels.dtype == np.int64
