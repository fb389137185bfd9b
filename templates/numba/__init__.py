"""Templates of the Numba backend."""
