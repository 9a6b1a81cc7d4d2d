"""What a client says of flows, by its methods; ``publishing/`` and ``versions/`` test what they do."""

from __future__ import annotations

import pytest

from aqueduct_provider.errors import AuthoringError
from tests.support.deployment import Deployment


def test_a_flow_is_named_once(made: Deployment) -> None:
    flow = made.publish()
    for found in (
        made.client.flow("churn"),
        made.client.flow(flow_id=flow.id()),
        made.client.flow(flow_name="churn"),
    ):
        assert found.record == flow.record
    with pytest.raises(AuthoringError, match=r"Name one flow.*'churn' and 'other' was given"):
        made.client.flow("churn", flow_name="other")
    assert made.client.session is flow.session
