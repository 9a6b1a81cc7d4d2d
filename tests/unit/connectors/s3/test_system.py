from __future__ import annotations

from aqueduct_provider.connectors.s3.system import SYSTEMS


def test_s3_needs_no_driver_and_takes_no_options() -> None:
    (system,) = SYSTEMS
    assert (system.drivers, system.options.known, system.needed) == ((), frozenset(), ())
