"""What a peer says where it has nothing to measure."""


class Missing(Exception):
    """A peer that has nothing for a case, in words."""
