"""From steps to a text a person reads."""
