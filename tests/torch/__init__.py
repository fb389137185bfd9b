"""The kernels against PyTorch: an optional group, skipped where torch is not installed."""
