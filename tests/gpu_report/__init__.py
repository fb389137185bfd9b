"""Everything that wants a GPU in one command: `python -m tests.gpu_report`. Needs NumPy, CuPy, PyTorch and pytest."""
