"""A user's script with mistakes: a line that ends in ``# wrong`` is an error for mypy and for pyright."""

from typing import Any

import pandas as pd

import aqueduct_provider.sdk as aq


class Model:
    """A user's own class."""


@aq.op
def load(rows: int = 100) -> pd.DataFrame:
    return pd.DataFrame({"x": range(rows)})


@aq.op(requirements=[], num_outputs=2)
def split(table: pd.DataFrame, share: float = 0.8) -> tuple[pd.DataFrame, pd.DataFrame]:
    return table, table


@aq.op("train the model")
def train(table: pd.DataFrame, trees: int, *, depth: float = 1.0) -> Model:
    return Model()


@aq.metric
def accuracy(model: Model, table: pd.DataFrame) -> float:
    return 0.5


@aq.check(severity="error")
def is_good(accuracy: float, bound: float = 0.8) -> bool:
    return accuracy > bound


@aq.op
def untyped(table, factor=2):  # type: ignore[no-untyped-def]
    return table


@aq.op
def anything(table: Any) -> Any:
    return table


table = load()
first, second = split(table)
model = train(table, 3)
score = accuracy(model, table)

# Names.
train(table, tres=3)  # wrong
train(table, trees=3, dept=2)  # wrong
split(table, shares=0.5)  # wrong
accuracy(mode=model, table=table)  # wrong
is_good(score, bond=0.5)  # wrong
untyped(table, facto=3)  # wrong
anything(tabel=3)  # wrong

# Missing and superfluous.
train(table)  # wrong
train()  # wrong
accuracy(model)  # wrong
is_good()  # wrong
untyped()  # wrong
load(3, 4)  # wrong
train(table, 3, 2.0)  # wrong

# Plain values of other types.
load("3")  # wrong
load(rows=3.5)  # wrong
train(3, 3)  # wrong
train(table, "3")  # wrong
train(table, trees="3")  # wrong
train(table, 3, depth="deep")  # wrong
split(table, "0.5")  # wrong
accuracy(3, table)  # wrong
is_good("0.5")  # wrong
train.lazy(table, "3")  # wrong
train.lazy(table, tres=3)  # wrong
train.local(table, "3")  # wrong
train.local(table)  # wrong

# Operators themselves.
train.loca(table, 3)  # wrong
train(load, 3)  # wrong
train.local(table, 3).anything  # wrong

# Several outputs.
one, two, three = split(table)  # wrong

# What values are.
count: str = score.get()  # wrong
frame: Model = table.get()  # wrong
score.bound(lower="0.9")  # wrong
table.head("3")  # wrong
table.number_of_rows(3, 4)  # wrong

# Decorators.
aq.op(nam="x")  # wrong
aq.op(num_outputs="2")  # wrong
aq.op(retries="3")  # wrong
aq.metric(outpt="x")  # wrong
aq.check(severity="eror")  # wrong
aq.check(severity="error", on_failure="ops")  # wrong
aq.to_operator(3)  # wrong

# Names of modules.
aq.Cliet()  # wrong
aq.opp  # wrong

# The client.
client = aq.Client()
client.resource("warehouse", "Postgras")  # wrong
client.resource("warehouse", "Postgres").collection("x")  # wrong
client.resource("lake", "S3").sql("SELECT 1")  # wrong
client.resource("shop", "MongoDB").sql("SELECT 1")  # wrong
client.resource("cluster", "Airflow").sql("SELECT 1")  # wrong
client.resource("warehouse", aq.ServiceType.SNOWFLAKE).collection("x")  # wrong
client.resouce("warehouse")  # wrong
client.publish_flow("churn", artifact=[model])  # wrong
client.publish_flow("churn", artifacts=[3])  # wrong
client.trigger("churn", parameters=3).wait()  # wrong
client.trigger("churn").wai()  # wrong
client.flow("churn").lates()  # wrong
client.create_param("trees", 100).get().upper()  # wrong

# Artifacts as if they were their values.
table["x"]  # wrong
for row in table:  # wrong
    print(row)
"x" in table  # wrong
a, b = load()  # wrong
