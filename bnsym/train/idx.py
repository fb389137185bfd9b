"""idx, the file format of MNIST: a magic number, the size of each dimension, the bytes; gzip-compressed or not."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

GZIP_MAGIC = b"\x1f\x8b"
# Two zeros, the type of an element (08, unsigned byte), the number of dimensions.
DIMENSIONS = {b"\x00\x00\x08\x01": 1, b"\x00\x00\x08\x03": 3}


class DataError(Exception):
    """A data set is missing, damaged or not what it should be; the message is one sentence for the user."""


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Read one idx file of unsigned bytes, gzip-compressed or not, whatever its name ends in.

    Returns a read-only uint8 array of one dimension (labels) or three (images: examples, rows, columns). DataError
    when the file cannot be read, is a damaged gzip file, starts with another magic number, or holds fewer or more
    bytes than its header says.
    """
    return parse_idx(read_content(path), str(path))


def read_content(path: Path) -> bytes:
    """Return a file's uncompressed content; DataError when it cannot be read or is a damaged gzip file."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} could not be read ({error.strerror}), expected an idx file") from error
    return unpack(raw, str(path))


def unpack(raw: bytes, source: str) -> bytes:
    """Decompress what starts as gzip does and return the rest as it is; DataError, naming source, when damaged."""
    if not raw.startswith(GZIP_MAGIC):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{source} is a damaged gzip file ({error}), expected one that decompresses whole") from error


def parse_idx(content: bytes, source: str) -> npt.NDArray[np.uint8]:
    """Return the array that uncompressed idx content holds, a read-only view; errors as in read_idx, naming source."""
    ndim = DIMENSIONS.get(content[:4])
    if ndim is None:
        known = " or ".join(f"0x{magic.hex()} ({n} dimension{'s' * (n > 1)})" for magic, n in DIMENSIONS.items())
        came = f"0x{content[:4].hex()}" if content else "nothing: it is empty"
        raise DataError(f"{source} starts with {came}, expected the idx magic number {known}")
    header = 4 + 4 * ndim
    if len(content) < header:
        raise DataError(f"{source} is truncated: {len(content)} bytes came, expected a header of {header}")
    shape = struct.unpack(f">{ndim}I", content[4:header])
    expected = header + math.prod(shape)
    if len(content) != expected:
        fault = "is truncated" if len(content) < expected else "has trailing bytes"
        raise DataError(f"{source} {fault}: {len(content)} bytes came, expected {expected} for the shape {shape}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
