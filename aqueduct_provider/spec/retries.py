"""Say which operators are the provider's own, and how often those are tried again.

They run no code of a user and write the same each time, so a lost worker need not lose a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aqueduct_provider.spec.models import Operator

OWN_KINDS = frozenset({"param", "system_metric"})
# Tries after the first. Four workers lost in a row are not an accident any more.
OWN_RETRIES = 3
# Seconds between two tries: nothing of a user's has to recover.
OWN_DELAY = 10.0


def is_own(operator: Operator) -> bool:
    """Check whether an operator is the provider's own and its spec leaves its retries open."""
    return operator.type in OWN_KINDS and operator.retries is None
