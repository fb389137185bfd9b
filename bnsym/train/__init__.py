"""Train the paper's network with nothing but generated kernels."""
