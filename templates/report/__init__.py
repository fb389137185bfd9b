"""Templates of the derivation report."""
