"""Templates that the backends whose modules are Python share."""
