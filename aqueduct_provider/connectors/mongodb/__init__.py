"""MongoDB via PyMongo."""
