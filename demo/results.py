"""What a run left in S3, read from outside Airflow, for people."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aqueduct_provider.storage.layout import NativeLayout
from demo.draft import Draft, Json

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Results:
    """The objects of one run.

    :param s3: a boto3 client.
    """

    s3: Any
    bucket: str
    flow: Draft
    run_id: str

    def table(self) -> Table:
        """Each artifact with its type, its codec, its size and a look inside."""
        from rich.table import Table

        table = Table(title="Artifacts in S3", title_justify="left")
        for column in ("artifact", "type", "stored as", "bytes", "content"):
            table.add_column(column, justify="right" if column == "bytes" else "left")
        for artifact in self.flow.document()["artifacts"]:
            table.add_row(*self._row(artifact["id"]))
        return table

    def first_rows(self, artifact_id: str, count: int = 3) -> str:
        """The beginning of a table, as text."""
        frame = _frame(self._get(self._layout.content(artifact_id)))
        text: str = frame.head(count).to_string(index=False)
        return text

    def value(self, artifact_id: str) -> Any:
        """A value that is stored as JSON."""
        return json.loads(self._get(self._layout.content(artifact_id)))

    def statuses(self) -> dict[str, str]:
        """The status in each operator's exec state."""
        tasks = [operator["id"] for operator in self.flow.document()["operators"]]
        return {task: json.loads(self._get(self._layout.exec_state(task)))["status"] for task in tasks}

    @property
    def _layout(self) -> NativeLayout:
        return NativeLayout(self.flow.flow_id, self.run_id)

    def _row(self, artifact_id: str) -> tuple[str, ...]:
        content = self._get(self._layout.content(artifact_id))
        metadata = json.loads(self._get(self._layout.metadata(artifact_id)))
        kinds = (metadata["artifact_type"], metadata["encoding"])
        return (artifact_id, *kinds, f"{len(content):,}", _summary(content, metadata))

    def _get(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body


def _summary(content: bytes, metadata: Json) -> str:
    match metadata["serialization_type"]:
        case "json":
            value = json.loads(content)
            return f"{value:.4g}" if isinstance(value, float) else str(value)
        case "parquet":
            rows, columns = _frame(content).shape
            return f"{rows} rows, {columns} columns"
        case _:
            return f"a {metadata['python_type']}"


def _frame(content: bytes) -> Any:
    import pandas as pd

    return pd.read_parquet(io.BytesIO(content))
