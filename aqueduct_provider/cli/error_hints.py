"""Cures that errors name in Python or in Airflow's configuration, as those of the command line (pure)."""

from __future__ import annotations

import re

# Parts of messages of the SDK and of the rooms below it, and what stands for them in a terminal.
_CURES: tuple[tuple[str, str], ...] = (
    (
        r"""client\.connect_resource\(('[^']*'), "Airflow", \{"host": \.\.\.\}\)""",
        r"aqueduct-airflow connect \1 --host HOST",
    ),
    (
        r"""client\.connect_resource\(('[^']*'), service, \{\.\.\.\}\)""",
        r"aqueduct-airflow connect \1 --service SERVICE",
    ),
    (
        r"""client\.connect_resource\(name, ('[^']*'), \{\.\.\., "connection_id": ('[^']*')\}\)""",
        r"aqueduct-airflow connect NAME --service \1 --connection-id \2",
    ),
    (r"\brun\.describe\(\)", "aqueduct-airflow show"),
    (r"\bunpause=True\b", "--unpause"),
    (r"\bforce=True\b", "--force"),
    (r"\bartifacts=True\b", "--artifacts"),
    (r'aq\.Client\(bucket="my-bucket"\)', "--bucket my-bucket"),
    (r"The arguments of aq\.Client\b", "The options"),
    (r"Set isolation = auto in the \[aqueduct\] section of airflow\.cfg", "Run it with --isolation auto"),
    (
        r"set missing_python in the \[aqueduct\] section of airflow\.cfg to 'download' or 'worker'",
        "run it with --missing-python download, or worker",
    ),
    (r"\bAirflow ended the task\b", "It was interrupted"),
)


def terminal_words(message: str) -> str:
    """The message with the options of ``aqueduct-airflow`` in place of arguments and settings."""
    for pattern, words in _CURES:
        message = re.sub(pattern, words, message)
    return message
