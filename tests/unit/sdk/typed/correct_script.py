"""A user's script: mypy and pyright must find nothing in it."""

from typing import Any

import pandas as pd
import polars as pl
from typing_extensions import assert_type

import aqueduct_provider.sdk as aq


class Model:
    """A user's own class."""

    accuracy = 0.9


@aq.op
def load(rows: int = 100) -> pd.DataFrame:
    return pd.DataFrame({"x": range(rows)})


@aq.op(requirements=["polars"], retries=2, timeout=60)
def load_polars(rows: int) -> pl.DataFrame:
    return pl.DataFrame({"x": range(rows)})


@aq.op(num_outputs=2, requirements=[])
def split(table: pd.DataFrame, share: float = 0.8) -> tuple[pd.DataFrame, pd.DataFrame]:
    border = int(len(table) * share)
    return table[:border], table[border:]


@aq.op(outputs=["model", "note"])
def fit(table: pd.DataFrame, *, trees: int = 100) -> tuple[Model, str]:
    return Model(), f"{len(table)} rows, {trees} trees"


@aq.op(outputs=["table"])
def clean(table: pd.DataFrame) -> pd.DataFrame:
    return table.dropna()


@aq.op("train the model")
def train(table: pd.DataFrame, trees: int, *, depth: float = 1.0) -> Model:
    return Model()


@aq.op
def is_large(table: pd.DataFrame) -> bool:
    return len(table) > 1000


@aq.op
def count(table: pd.DataFrame) -> int:
    return len(table)


@aq.metric
def accuracy(model: Model, table: pd.DataFrame) -> float:
    return model.accuracy


@aq.metric(output="rows", requirements=[])
def rows(table: pd.DataFrame) -> int:
    return len(table)


@aq.check
def is_good(accuracy: float, bound: float = 0.8) -> bool:
    return accuracy > bound


@aq.check(severity="error", on_failure=aq.notify.slack("ops"))
def has_rows(rows: int) -> bool:
    return rows > 0


@aq.op
def untyped(table, factor=2):  # type: ignore[no-untyped-def]
    return table


@aq.op
def anything(table: Any) -> Any:
    return table


# Plain values and artifacts, by position and by name.
table = load(rows=10)
assert_type(table, aq.TableArtifact[pd.DataFrame])
assert_type(table.get(), pd.DataFrame)
assert_type(table.head(3), pd.DataFrame)
assert_type(table.number_of_rows(), aq.NumericArtifact[float])
assert_type(load.local(3), pd.DataFrame)
assert_type(load.lazy(), aq.TableArtifact[pd.DataFrame])
assert_type(load_polars(3).get(), pl.DataFrame)
assert_type(load_polars(3), aq.TableArtifact[pl.DataFrame])

first, second = split(table, share=0.5)
assert_type(first, aq.TableArtifact[pd.DataFrame])
assert_type(second.head(), pd.DataFrame)
assert_type(split.local(table), tuple[pd.DataFrame, pd.DataFrame])

fitted, note = fit(clean(first), trees=10)
assert_type(fitted.get(), Model)
assert_type(note.get(), str)

client = aq.Client(bucket="my-bucket")
trees = client.create_param("trees", 100, "How many.")
assert_type(trees.get(), int)
model = train(first, trees, depth=2)
assert_type(model, aq.GenericArtifact[Model])
assert_type(model.get().accuracy, float)
assert_type(train(table=load(), trees=trees), aq.GenericArtifact[Model])
train(pd.DataFrame(), 3)

assert_type(is_large(table), aq.BoolArtifact)
assert_type(is_large(table).get(), bool)
assert_type(count(table), aq.NumericArtifact[int])

score = accuracy(model, second)
assert_type(score, aq.NumericArtifact[float])
assert_type(score.get(), float)
assert_type(score.bound(lower=0.9, severity="error"), aq.BoolArtifact)
assert_type(rows(table).get(), int)
assert_type(is_good(score), aq.BoolArtifact)
assert_type(is_good(score, bound=0.5).get(), bool)
assert_type(has_rows(rows(table)), aq.BoolArtifact)

# What an unannotated function returns may be anything.
untyped(table, factor=3).head()
assert_type(anything(table).get(), Any)

scale = aq.to_operator(len, name="length")
assert_type(scale(table).get(), int)

# Names of classes, in annotations.
kept: aq.TableArtifact = table
numbers: list[aq.NumericArtifact] = [score]
everything: list[aq.Artifact] = [table, model, score]

flow = client.publish_flow("churn", artifacts=[model, note], metrics=[score], schedule=aq.daily(hour=6))
assert_type(flow, aq.Flow)
run = client.trigger("churn", parameters={"trees": 200})
assert_type(run, aq.Run)
assert_type(run.wait() == aq.ExecutionStatus.SUCCEEDED, bool)
run.artifact("model").get().anything

reviews = client.resource("warehouse", "Postgres").sql("SELECT * FROM reviews")
assert_type(reviews, aq.TableArtifact[pd.DataFrame])
client.resource("warehouse", aq.ServiceType.SNOWFLAKE).save(table, "scores", "append")
client.resource("lake", "S3").save(table, "scores.parquet", "Parquet")
client.resource("shop", "MongoDB").collection("orders").find({}).head()
assert_type(client.resource("cluster", "Airflow").check_connection(), str)
client.resource("warehouse").sql("SELECT 1")
