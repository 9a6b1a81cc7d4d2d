"""The versions that this release supports: the table that tests, documentation and tools read."""

from __future__ import annotations

# The SDK, and Airflow where its own release allows it.
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
# Release -> the day after it: the oldest and the newest of each line, and the last of each between.
AIRFLOWS = {
    "2.11.0": "2025-05-21",
    "2.11.2": "2026-03-15",
    "3.0.6": "2025-08-30",
    "3.1.8": "2026-03-12",
    "3.2.2": "2026-05-30",
    "3.3.2": "2026-09-18",
}
