"""The properties every backend's kernels must have: one suite, run over a registry of modules."""
