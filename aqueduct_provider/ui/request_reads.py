"""What one request reads of stores: a number of bytes at most, and errors without secrets."""

from __future__ import annotations

import os
from functools import cached_property

from aqueduct_provider.execution.known_secrets import variable_secrets
from aqueduct_provider.spec.redactor import Redactor
from aqueduct_provider.storage.read_budget import ReadBudget

# Bytes that a request reads at most, of all objects together.
MOST = 8_000_000


class RequestReads:
    """The reads of one request, on all stores that it opens."""

    def __init__(self) -> None:
        self.budget = ReadBudget(MOST)

    @cached_property
    def redact(self) -> Redactor:
        """Masks the secrets of the stores that were opened, and those in the server's environment."""
        return Redactor(variable_secrets(os.environ))

    def problem(self, error: Exception) -> str:
        """Return why something could not be read, as pages show it: without secrets."""
        return self.redact(str(error))
