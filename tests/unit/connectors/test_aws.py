from __future__ import annotations

from aqueduct_provider.connectors.aws import AWS_FIELDS, AWS_SECRETS
from aqueduct_provider.connectors.registry import built_in


def test_the_systems_of_aws_share_their_credentials() -> None:
    sharing = {
        name
        for name, system in built_in().items()
        if system.secrets == AWS_SECRETS and {*AWS_FIELDS} < {*system.optional}
    }
    assert sharing == {"Athena", "S3"}
    assert not {*AWS_FIELDS} & {*AWS_SECRETS}
