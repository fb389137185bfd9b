"""What the papers state beside the definition: claims to be proved, never used to derive."""
