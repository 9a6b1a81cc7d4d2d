"""Amazon Athena via PyAthena, read-only."""
