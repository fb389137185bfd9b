"""Programs on complex numbers: the imaginary part of f(x + ih) is h f'(x), with nothing subtracted."""

import math

import numpy as np

from bnsym.calculus.elements import FLOATS, Numbers


def _erf(z):
    """Exact to first order in the imaginary part, which is all that a complex step asks for."""
    real = np.asarray(np.frompyfunc(math.erf, 1, 1)(z.real), float)
    return real + 1j * (2 / math.sqrt(math.pi) * np.exp(-(z.real**2)) * z.imag)


COMPLEX = Numbers(
    np.complex128,
    complex,
    {
        **FLOATS.functions,
        "erf": _erf,
        "Abs": lambda z: np.sign(z.real) * z,
        "sign": lambda z: np.sign(z.real) + 0j,
        "step": lambda z: (z.real > 0) + 0j,
        "maximum": lambda a, b: np.where(a.real > b.real, a, b),
        "minimum": lambda a, b: np.where(a.real < b.real, a, b),
    },
)
