"""Kernels for CuPy: a module and its CUDA source each."""
