"""Templates of the NumPy backend."""
