"""When someone is notified of a check or a flow, and what may be written of who is notified (pure).

Imports nothing of the package, for the SDK reads it before anything else is needed.
"""

from __future__ import annotations

from typing import Literal

Condition = Literal["warning", "failure", "recovery"]
CONDITIONS: tuple[Condition, ...] = ("warning", "failure", "recovery")

# Those of Airflow's ids that cannot be a URL, which may hold a token.
CONNECTION_PATTERN = r"^[A-Za-z0-9_.#!()-]+([:/\\][A-Za-z0-9_.#!()-]+)*$"
ADDRESS_PATTERN = r'^[^\s@,;:<>"]+@[^\s@,;:<>"]+$'
# A module and a class in it.
CLASS_PATTERN = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$"
# What one mail goes to; who is notified of one check, or of one flow.
MAX_ADDRESSES = 100
MAX_NOTIFICATIONS = 100
