"""Whoever can write to the bucket makes nobody run code, and is not believed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.deployment import deployment
from tests.support.tampering_attacks import ATTACKS
from tests.support.tampering_victim import victim_of


def test_readers(
    s3_server: str, s3_client: Any, credentials_file: Path, tmp_path: Path, count: Callable[..., None]
) -> None:
    bucket = f"bucket-{uuid.uuid4().hex[:12]}"
    s3_client.create_bucket(Bucket=bucket)
    believed: list[str] = []
    with deployment(bucket, s3_server, credentials_file, tmp_path) as made, victim_of(made) as victim:
        for name, attack in ATTACKS.items():
            with victim.attacked_by(attack):
                lies = victim.lies(victim.read(trust_store=True))
            if lies or victim.marker.exists():
                believed.append(name)
    count(
        "tampering: no code run, no wrong value believed",
        len(ATTACKS) - len(believed),
        len(ATTACKS),
        ", ".join(believed),
    )
