"""Jinja templates: one folder a backend, and the report."""
