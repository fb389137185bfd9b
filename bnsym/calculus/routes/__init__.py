"""Routes to a gradient that do not use this project's chain rule, so that they can check it."""
