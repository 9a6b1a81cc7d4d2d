"""Stage 5: requirements to a Python that has them."""
