"""Where flows go in and artifacts come out: the DAG folder and the bucket, both seen from outside Airflow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.client import AirflowClient
from tests.integration.native_draft import Draft, Json, write_spec
from tests.integration.stack import AirflowStack
from tests.integration.waiting import wait_for

SEEN_SECONDS = 60


@dataclass(frozen=True)
class Place:
    """One bucket and one Airflow.

    :param s3: a boto3 client.
    """

    airflow: AirflowStack
    s3: Any
    endpoint: str
    bucket: str
    credentials_path: Path

    @property
    def client(self) -> AirflowClient:
        return self.airflow.client

    @property
    def store(self) -> Json:
        """The artifact store of native specs: a credentials file and the profile ``research``."""
        return {
            "type": "s3",
            "bucket": self.bucket,
            "region": "us-east-1",
            "root_dir": "native",
            "endpoint_url": self.endpoint,
            "credentials_path": str(self.credentials_path),
            "credentials_profile": "research",
        }

    def draft(self, dag_id: str, **fields: Any) -> Draft:
        """A native flow in this bucket."""
        return Draft(dag_id, self.store, **fields)

    @contextmanager
    def published(self, draft: Draft) -> Iterator[str]:
        """A flow that Airflow shows; its spec goes away in the end."""
        path = draft.publish(self.s3, self.bucket, self.airflow.dags, prefix="native/")
        try:
            yield self.seen(draft.dag_id, draft.version)
        finally:
            path.unlink()

    @contextmanager
    def dropped(self, spec: Json) -> Iterator[str]:
        """A compiled spec that Airflow shows; it goes away in the end."""
        path = write_spec(self.airflow.dags, spec["dag_id"], spec)
        try:
            yield self.seen(spec["dag_id"], spec["workflow_dag_id"])
        finally:
            path.unlink()

    def seen(self, dag_id: str, version: str) -> str:
        """Wait until Airflow shows this version of a flow."""
        wait_for(
            lambda: self.client.shows(dag_id, version),
            what=f"DAG {dag_id} of version {version}",
            seconds=SEEN_SECONDS,
        )
        return dag_id

    def run(self, dag_id: str, conf: Json | None = None) -> tuple[str, str]:
        """Run a flow: the run's id, and the state in which it ended."""
        run_id = self.client.trigger(dag_id, conf)
        return run_id, self.client.wait(dag_id, run_id)

    def get(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def get_json(self, key: str) -> Any:
        return json.loads(self.get(key))

    def keys(self, prefix: str) -> set[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return {item["Key"] for page in pages for item in page.get("Contents", [])}

    def run_prefix(self, draft: Draft, run_id: str) -> str:
        """Of all objects of a run of a native flow."""
        return f"native/flows/{draft.flow_id}/runs/{run_id}/"

    def artifact(self, draft: Draft, run_id: str, name: str) -> tuple[bytes, Json]:
        """Content and metadata of an artifact of a native flow."""
        prefix = f"{self.run_prefix(draft, run_id)}artifacts/{name}/"
        return self.get(prefix + "content"), self.get_json(prefix + "metadata.json")

    def exec_state(self, draft: Draft, run_id: str, task_id: str) -> Json:
        """The exec state of an operator of a native flow."""
        state: Json = self.get_json(f"{self.run_prefix(draft, run_id)}operators/{task_id}/state.json")
        return state
