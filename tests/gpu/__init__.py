"""What only a GPU can show, and what runs the property suite on one: `pytest -m gpu`."""
