"""Kernels for Numba, generated: change a definition and run `regenerate-kernels`."""
