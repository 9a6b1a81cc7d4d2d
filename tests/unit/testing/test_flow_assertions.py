"""Flows that were published, and what snapshots hold."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.testing import FlowUnderTest
from aqueduct_provider.testing.flow_assertions import Snapshots, file_stem, table_text
from tests.support.deployment import Deployment, deployment


@pytest.fixture
def made(bucket: str, s3_server: str, credentials_file: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    with deployment(bucket, s3_server, credentials_file, tmp_path) as made:
        yield made


def test_a_flow_that_was_published_is_run_here_and_leaves_nothing_there(
    made: Deployment, tmp_path: Path
) -> None:
    flow = made.publish()
    before = list(made.store.list(""))
    (tmp_path / "test.toml").touch(mode=0o600)
    client = aq.Client(folder=str(tmp_path / "store"), config_path=tmp_path / "test.toml")
    under_test = FlowUnderTest(flow, name="x", client=client, snapshots=Snapshots(tmp_path, update=False))
    assert under_test.runs({"rows": 4}).output("total") == 6
    with pytest.raises(AssertionError, match="rows must not be negative"):
        under_test.runs({"rows": -1})
    assert list(made.store.list("")) == before


def test_a_table_as_text() -> None:
    table = pandas.DataFrame(
        {"n": [1, None], "at": pandas.to_datetime(["2026-01-31", "2026-02-01"]), "t": ["a,b", "c"]},
        index=pandas.Index(["x", "y"], name="key"),
    )
    kind = str(table["t"].dtype), str(table["at"].dtype)
    assert table_text("t", table) == (
        f"key,n,at,t\n{table.index.dtype},float64,{kind[1]},{kind[0]}\n"
        'x,1,2026-01-31,"a,b"\ny,,2026-02-01,c\n'
    )
    third = pandas.DataFrame({"n": [1 / 3]})
    assert table_text("t", third).endswith("\n0,0.3333333333\n")
    with pytest.raises(AuthoringError, match=r"'t' is a int: .* \.output\('t'\)"):
        table_text("t", 3)


def test_values_of_two_types_differ_in_snapshots() -> None:
    def text(*values: object) -> str:
        return table_text("t", pandas.DataFrame({"o": pandas.Series(values, dtype=object)}))

    values = [1, "1", 1.5, "1.5", None, "None", float("nan"), "nan", True, "True", "", "'1'", "plain"]
    assert len({text(value) for value in values}) == len(values)
    assert text("plain").endswith("\n0,plain\n")


def test_names_never_share_a_file() -> None:
    assert file_stem("table") == "table"
    names = ["a/b", "a_b", "a b", "../a", "a"]
    stems = {file_stem(name) for name in names}
    assert len(stems) == len(names)
    assert not any("/" in one or one.startswith(".") for one in stems)
