"""A flow of every kind of artifact that has run for real: in children, into a bucket, as on workers.

played = play(spec_of(store), store, folder)
played.write(rows)          # into Airflow's tables
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aqueduct_provider.errors import AqueductError
from aqueduct_provider.operators.xcom import with_spec
from aqueduct_provider.spec.dag_facts import facts_of
from aqueduct_provider.spec.graph import order
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.layout import FlowLayout
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.s3 import S3Store, connect
from aqueduct_provider.storage.s3_client import S3Settings
from tests.support.airflow_rows import AirflowRows
from tests.support.example_specs import native_document, operator
from tests.support.flow_runs import LocalRun, code_of

HOSTILE = "<script>alert('x')</script>\"'&"
# Too long for a value.
QUERY = f"SELECT kind FROM wines {HOSTILE * 10} LIMIT 7"
SOURCES: Mapping[str, tuple[str, str, str]] = {
    # name: kind, artifact type, source
    "wines": (
        "function",
        "table",
        "import pandas\ndef predict(rows):\n    print('making rows')\n"
        "    return pandas.DataFrame({'id': range(int(rows)), 'kind': ['<b>red</b>'] * int(rows)})\n",
    ),
    "report": ("function", "string", "def predict(t):\n    return '<html><script>act()</script>hi</html>'\n"),
    "note": ("function", "string", "def predict(t):\n    return '# Title\\n\\n<b>raw</b> ![x](/logout)'\n"),
    "settings": ("function", "dictionary", "def predict(t):\n    return {'depth': 3, 'x': '</pre><i>'}\n"),
    "raw": ("function", "bytes", "def predict(t):\n    return bytes(range(40))\n"),
    "model": ("function", "picklable", "def predict(t):\n    return {1, 2}\n"),
    "api_password": ("function", "string", "def predict(t):\n    return 'hunter2'\n"),
    "picture": (
        "function",
        "image",
        "from PIL import Image\ndef predict(t):\n    return Image.new('RGB', (6, 4), 'red')\n",
    ),
    "pictures": (
        "function",
        "list",
        "from PIL import Image\ndef predict(t):\n    return [Image.new('RGB', (6, 4), 'red')] * 15\n",
    ),
    "accuracy": ("metric", "numeric", "def predict(t):\n    return len(t) / 8\n"),
    "enough": ("check", "boolean", "def predict(t):\n    return len(t) > 3\n"),
    "broken": (
        "function",
        "untyped",
        "import os\ndef predict(t):\n    os.write(1, b'before \\xff')\n    raise ValueError('<b>no</b>')\n",
    ),
}
CONNECTION = "played"
DAG, RUN = "churn", "manual__2026-01-01T00:00:00+00:00"


def store_at(bucket: str, s3_server: str, credentials_file: Path) -> S3Store:
    """Return the store of a bucket."""
    return connect(
        S3Settings(
            bucket=bucket,
            region="us-east-1",
            endpoint_url=s3_server,
            credentials_path=str(credentials_file),
        )
    )


def connection_to(bucket: str, s3_server: str, credentials_file: Path) -> dict[str, str]:
    """Return the environment variable of the Airflow connection to the store of a bucket."""
    extra = {"bucket": bucket, "region": "us-east-1", "endpoint_url": s3_server}
    extra["credentials_path"] = str(credentials_file)
    return {f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps({"conn_type": "aqueduct", "extra": extra})}


def spec_of(store: ObjectStore) -> WorkflowSpec:
    """Return the spec of the flow, with its code and the spec itself in the store."""
    operators = [
        operator("rows", "param", parameter="rows"),
        operator("query", "param", parameter="query"),
        *(
            operator(
                name,
                kind,
                inputs=["rows" if name == "wines" else "wines"],
                code=code_of(store, source),
                **({"severity": "warning"} if kind == "check" else {}),
            )
            for name, (kind, _, source) in SOURCES.items()
        ),
    ]
    types = {"rows": "numeric", "query": "string", **{name: kind for name, (_, kind, _) in SOURCES.items()}}
    document = native_document(
        artifact_store={"type": "connection", "connection_id": CONNECTION},
        artifacts=[{"id": f"{name}-value", "name": name, "type": kind} for name, kind in types.items()],
        parameters=[
            {"name": "rows", "type": "numeric", "default": {"value": 3}},
            {"name": "query", "type": "string", "default": {"value": QUERY}},
        ],
        operators=operators,
    )
    text = json.dumps(document).encode()
    spec = parse(text, DAG)
    store.put(FlowLayout(str(spec.flow.id)).version(str(spec.version.id)), text)
    return spec


@dataclass
class Played:
    """A run that is over.

    :param left: task id -> its XCom.
    """

    spec: WorkflowSpec
    store: ObjectStore
    run_id: str
    left: dict[str, Any] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, Any]:
        """What the tasks of the DAG state of the flow."""
        return {task_id: json.loads(text) for task_id, text in facts_of(self.spec).items()}

    def write(self, rows: AirflowRows, *, dag: bool = True) -> None:
        """Write the run into Airflow's tables.

        :param dag: the DAG, too.
        """
        if dag:
            rows.dag(DAG, self.attributes, name="churn")
        rows.run(DAG, self.run_id, state="failed" if "failed" in self.states.values() else "success")
        for task_id, state in self.states.items():
            rows.task(DAG, self.run_id, task_id, self.left.get(task_id), state=state)


def play(spec: WorkflowSpec, store: ObjectStore, folder: Path, run_id: str = RUN, rows: int = 3) -> Played:
    """Run all tasks of the flow."""
    local = LocalRun(spec, store, folder, params={"rows": rows}, run_id=run_id)
    played = Played(spec, store, run_id)
    for task_id in order(spec):
        try:
            manifest = local.manifests[task_id] = local.attempt(task_id).run()
        except AqueductError:
            played.states[task_id] = "failed"
        else:
            played.states[task_id] = "success"
            played.left[task_id] = with_spec(manifest, spec)
    return played
