"""idx files as the tests make them up."""

import struct

import numpy as np


def idx(array) -> bytes:
    """The idx file of an unsigned byte array, written from the format's description."""
    array = np.asarray(array, np.uint8)
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
