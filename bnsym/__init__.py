"""bnsym."""
