"""Generated kernels, one folder a backend."""
