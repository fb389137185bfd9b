"""Generated derivation reports."""
