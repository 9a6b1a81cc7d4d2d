from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import boto3

from aqueduct_provider.demo.local_s3 import BUCKET, PROFILE, local_s3


def test_a_server_with_a_bucket_that_ends_with_the_context(tmp_path: Path) -> None:
    with local_s3(tmp_path) as endpoint:
        port = urlsplit(endpoint).port or 0
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=PROFILE,
            aws_secret_access_key=PROFILE,
        )
        assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == [BUCKET]
        client.close()
        credentials = tmp_path / "credentials"
        assert credentials.read_text().startswith(f"[{PROFILE}]\n")
        assert credentials.stat().st_mode & 0o777 == 0o600
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
