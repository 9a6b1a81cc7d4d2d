from __future__ import annotations

from aqueduct_provider.connectors.gcs.system import SYSTEMS


def test_gcs_needs_a_bucket_and_keeps_its_key_secret() -> None:
    (system,) = SYSTEMS
    assert (system.needed, system.needed_of_connection) == (("bucket",), ("bucket",))
    assert system.secrets == ("service_account_credentials",)
