"""Turn requirements into a Python that has them."""
