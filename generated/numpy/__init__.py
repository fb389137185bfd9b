"""Generated NumPy kernels."""
