"""Write the forward pass as the paper writes it. Get gradients that are proved, and kernels that are fast."""

__version__ = "0.1.0"
