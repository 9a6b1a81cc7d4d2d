"""Named connections, the configuration file that keeps them, and their secrets."""
