"""Generated kernels beside the frameworks that are installed: each in a process of its own, timed in turns."""
