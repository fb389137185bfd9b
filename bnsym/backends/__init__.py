"""One printer a backend."""
