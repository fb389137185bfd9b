"""idx files: what is read is what was written, and whatever is wrong is refused in one sentence naming the file."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnsym.train.data import DataError
from bnsym.train.idx import parse_idx, read_idx
from tests.idx_files import idx

ARRAYS = st.sampled_from([1, 3]).flatmap(
    lambda ndim: hnp.arrays(np.uint8, hnp.array_shapes(min_dims=ndim, max_dims=ndim, min_side=0, max_side=6))
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("idx")


@given(array=ARRAYS, compressed=st.booleans(), name=st.sampled_from(["x", "x.gz"]))
def test_idx_round_trip_whatever_the_file_is_called(scratch, array, compressed, name):
    (scratch / name).write_bytes(gzip.compress(idx(array)) if compressed else idx(array))
    result = read_idx(scratch / name)
    assert result.dtype == np.uint8
    assert result.shape == array.shape
    np.testing.assert_array_equal(result, array)


def test_idx_sizes_are_big_endian():
    content = b"\x00\x00\x08\x03" + b"\x00\x00\x00\x01" + b"\x00\x00\x00\x02" + b"\x00\x00\x00\x03" + bytes(range(6))
    np.testing.assert_array_equal(parse_idx(content, "x"), [[[0, 1, 2], [3, 4, 5]]])


@given(array=ARRAYS, pick=st.data())
def test_every_truncation_is_refused(array, pick):
    content = idx(array)
    length = pick.draw(st.integers(0, len(content) - 1))
    with pytest.raises(DataError, match=r"^the file (is truncated|starts with)"):
        parse_idx(content[:length], "the file")


PACKED = gzip.compress(idx(np.arange(200) % 7), mtime=0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", r"starts with nothing: it is empty, expected the idx magic number 0x00000801 .* or 0x00000803"),
        (b"\x08\x01", r"starts with 0x0801, expected"),
        (b"\x00\x00\x0d\x01" + bytes(8), r"starts with 0x00000d01, expected"),  # idx of float32
        (b"\x00\x00\x08\x02" + bytes(8), r"starts with 0x00000802, expected"),  # two dimensions
        (b"<html>not found</html>", r"starts with 0x3c68746d, expected"),
        (idx([1, 2, 3])[:6], r"is truncated: 6 bytes came, expected a header of 8"),
        (idx([1, 2, 3])[:-1], r"is truncated: 10 bytes came, expected 11 for the shape \(3,\)"),
        (idx([1, 2, 3]) + b"\0\0", r"has trailing bytes: 13 bytes came, expected 11 for the shape \(3,\)"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, r"is truncated: 16 bytes came, expected 7922816"),  # sizes past 64 bits
        (PACKED[:-9], r"is a damaged gzip file \(.*\), expected one that decompresses whole"),
        (PACKED[:5], r"is a damaged gzip file"),
        (PACKED[:12] + b"\xff\xff" + PACKED[14:], r"is a damaged gzip file"),  # the deflate stream
        (PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:], r"is a damaged gzip file \(CRC"),
        (PACKED + b"more", r"is a damaged gzip file"),
    ],
)
def test_a_damaged_idx_file_is_refused_by_name(tmp_path, content, sentence):
    path = tmp_path / "file.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=sentence) as caught:
        read_idx(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_what_cannot_be_read_is_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=r"absent could not be read \(No such file or directory\)"):
        read_idx(tmp_path / "absent")
    with pytest.raises(DataError, match=r"could not be read \(.+\), expected an idx file"):
        read_idx(tmp_path)
