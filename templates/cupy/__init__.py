"""Templates of the CuPy backend."""
