"""Relational databases in a notebook, on a real SQLite file: the demo database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas
import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError, DataSystemError, StatementRefused
from aqueduct_provider.sdk.authoring.evaluate import is_computed
from aqueduct_provider.sdk.authoring.nodes import OperatorNode
from aqueduct_provider.sdk.resources.services import SERVICES
from aqueduct_provider.sdk.resources.sql_resource import SqlResource, dates_of_now


@pytest.fixture
def client(tmp_path: Path) -> aq.Client:
    return aq.Client(config_path=tmp_path / "config.toml")


@pytest.fixture
def demo(client: aq.Client) -> SqlResource:
    found = client.resource("Demo")
    assert isinstance(found, SqlResource)
    return found


@pytest.fixture
def lazy() -> Iterator[None]:
    aq.global_config({"lazy": True})
    yield
    aq.global_config({"lazy": False})


def producer(artifact: Any) -> OperatorNode:
    node: OperatorNode = artifact.node.producer
    return node


# --- looking


def test_tables(demo: SqlResource) -> None:
    assert demo.list_tables()["tablename"].tolist() == [
        *("customer_activity", "customers", "hotel_reviews", "mpg", "tips", "wine")
    ]
    assert demo.discover() == demo.list_tables()["tablename"].tolist()


def test_a_whole_table(demo: SqlResource) -> None:
    table = demo.table("tips")
    assert isinstance(table, pandas.DataFrame)
    assert table.shape == (244, 8)
    with pytest.raises(DataSystemError, match="no such table: nowhere"):
        demo.table("nowhere")


@pytest.mark.parametrize("name", ["", " ", None, 3])
def test_what_is_no_name_of_a_table(demo: SqlResource, name: Any) -> None:
    with pytest.raises(AuthoringError, match="A table's name must be a non-empty string"):
        demo.table(name)


def test_a_name_is_no_sql(demo: SqlResource) -> None:
    with pytest.raises(StatementRefused):
        demo.table("tips; DROP TABLE tips")
    assert len(demo.table("tips")) == 244


def test_the_connection_is_checked(demo: SqlResource) -> None:
    assert "SQLite" in demo.check_connection()


# --- queries


def test_a_query_is_computed_at_once(demo: SqlResource) -> None:
    found = demo.sql("SELECT count(*) AS n FROM wine")
    assert isinstance(found, aq_table())
    assert (found.name(), producer(found).name) == ("Demo query artifact", "Demo query")
    assert is_computed(producer(found))
    assert found.get()["n"].tolist() == [6497]
    assert producer(found).place == {
        "connector": "SQLite",
        "connection_id": "aqueduct_demo",
        "queries": ["SELECT count(*) AS n FROM wine"],
    }


def test_names(demo: SqlResource) -> None:
    found = demo.sql("SELECT 1 AS one", name="count", output="ones", description="Counts.")
    assert (found.name(), producer(found).name, producer(found).description) == ("ones", "count", "Counts.")
    assert demo.sql("SELECT 1 AS one", name="count").name() == "count artifact"


def test_a_lazy_query_is_computed_when_it_is_asked(demo: SqlResource) -> None:
    found = demo.sql("SELECT * FROM nowhere", lazy=True)
    assert isinstance(found, aq_table())
    assert not is_computed(producer(found))
    with pytest.raises(DataSystemError, match="no such table"):
        found.get()


def test_lazy_by_the_settings(demo: SqlResource, lazy: None) -> None:
    assert not is_computed(producer(demo.sql("SELECT * FROM nowhere")))


def test_a_query_that_is_refused_records_nothing(demo: SqlResource) -> None:
    with pytest.raises(DataSystemError, match="no such column: missing"):
        demo.sql("SELECT missing FROM wine")


def test_a_chain(demo: SqlResource) -> None:
    found = demo.sql(["SELECT * FROM wine WHERE color = 'red'", "SELECT count(*) AS n FROM $"])
    assert found.get()["n"].tolist() == [sum(demo.table("wine")["color"] == "red")]


def test_decimals_on_request(demo: SqlResource) -> None:
    found = demo.sql("SELECT CAST('0.1' AS DECIMAL) AS one", decimals="float", lazy=True)
    assert producer(found).place["decimals"] == "float"
    with pytest.raises(AuthoringError, match='decimals is "exact" or "float", not \'exakt\''):
        demo.sql("SELECT 1", decimals="exakt")  # type: ignore[arg-type]


@pytest.mark.parametrize("query", ["", " ", [], ["SELECT 1", ""], None, 3, [3]])
def test_what_is_no_query(demo: SqlResource, query: Any) -> None:
    with pytest.raises(AuthoringError, match="query must be SQL"):
        demo.sql(query)


def test_dates(demo: SqlResource) -> None:
    found = demo.sql(
        "SELECT {{ today }} AS a, {{ ds }} AS b, {{ data_interval_start }} AS c, {{ data_interval_end }} AS d"
    )
    row = found.get().iloc[0].tolist()
    assert row[0] == row[1] == dates_of_now()["ds"]
    assert row[2] == row[3]
    assert row[2].startswith(row[0])


# --- parameters


def test_parameters_are_bound(client: aq.Client, demo: SqlResource) -> None:
    day = client.create_param("day", "Fri")
    query = "SELECT DISTINCT day FROM tips WHERE day = $1 AND total_bill > $2"
    found = demo.sql(query, parameters=[day, "0"])
    assert found.get()["day"].tolist() == ["Fri"]
    assert found.get(parameters={"day": "Sun"})["day"].tolist() == ["Sun"]
    assert found.get(parameters={"Demo query:2": "100000"}).empty
    assert found.get(parameters={"day": "x'; DROP TABLE tips; --"}).empty
    assert found.get()["day"].tolist() == ["Fri"]


def test_a_parameter_that_an_operator_makes(demo: SqlResource) -> None:
    @aq.op(requirements=[])
    def choose(letter: str) -> str:
        return {"L": "Lunch", "D": "Dinner"}[letter]

    found = demo.sql("SELECT DISTINCT time FROM tips WHERE time = $1", parameters=[choose("L")])
    assert found.get()["time"].tolist() == ["Lunch"]
    assert found.get(parameters={"choose:letter": "D"})["time"].tolist() == ["Dinner"]


def test_what_depends_on_a_query_is_computed_anew(client: aq.Client, demo: SqlResource) -> None:
    @aq.metric(requirements=[])
    def total_of(table: Any) -> float:
        return float(table["tip"].sum())

    day = client.create_param("day", "Fri")
    total = total_of(demo.sql("SELECT tip FROM tips WHERE day = $1", parameters=[day]))
    assert total.get() != total.get(parameters={"day": "Sun"})
    assert total.get(parameters={"day": "Mon"}) == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            lambda client: [client.create_param("n", 5)],
            "Parameter 1 of 'Demo query', 'n', must be a string, not nu",
        ),
        (lambda client: [5], "Parameter 1 of 'Demo query' is of type int: give it as text, '5'"),
        (lambda client: [b"x"], "Parameter 1 of 'Demo query' is of type bytes, not an artifact"),
        (lambda client: "Italy", "parameters must be a list of string artifacts"),
        (lambda client: client.create_param("c", "Italy"), "parameters must be a list of string artifacts"),
    ],
)
def test_what_is_no_parameter(client: aq.Client, demo: SqlResource, given: Any, said: str) -> None:
    with pytest.raises(AuthoringError, match=said):
        demo.sql("SELECT $1 AS x", parameters=given(client))


def test_a_lazy_parameter_that_turns_out_to_be_none(demo: SqlResource) -> None:
    @aq.op(requirements=[])
    def five() -> int:
        return 5

    with pytest.raises(aq.OperatorFailed, match="Parameter 1 must be a string, not numeric"):
        demo.sql("SELECT $1 AS x", parameters=[five.lazy()])


# --- what is made of queries


def test_metrics_checks_and_operators_on_a_query(demo: SqlResource) -> None:
    @aq.op(requirements=["pandas"])
    def red(table: Any) -> Any:
        return table[table["color"] == "red"]

    wine = demo.sql("SELECT * FROM wine")
    assert wine.number_of_rows().get() == 6497
    assert wine.mean("alcohol").bound(lower=5).get() is True
    assert set(red(wine).get()["color"]) == {"red"}
    with pytest.raises(AuthoringError, match="is read from a data system: nothing is measured of it"):
        wine.system_metric("runtime")


def test_numbers_and_text_in_one_column_stay_what_they_are(demo: SqlResource) -> None:
    @aq.op(requirements=["pandas"])
    def cleaned(table: Any) -> Any:
        import pandas

        return table.assign(horsepower=pandas.to_numeric(table["horsepower"], errors="coerce"))

    cars = demo.sql("SELECT * FROM mpg")
    horsepower = cars.get()["horsepower"]
    assert horsepower.dtype == object
    assert {cell for cell in horsepower if not isinstance(cell, float)} == {"\\N"}
    assert cleaned(cars).get()["horsepower"].isna().sum() == 6


def test_a_query_in_the_form_of_the_original(demo: SqlResource) -> None:
    made = aq.RelationalDBExtractParams
    assert demo.sql(made(query="SELECT 1 AS one")).get()["one"].tolist() == [1]
    chain = made(queries=["SELECT 2 AS two", "SELECT two + 1 AS three FROM $"])
    assert demo.sql(chain).get()["three"].tolist() == [3]
    for wrong in (made(), made("SELECT 1", ["SELECT 1"]), made("SELECT 1", github_metadata=3)):  # type: ignore[arg-type]
        with pytest.raises(AuthoringError, match="must have query or queries, and nothing else"):
            demo.sql(wrong)


# --- saving


def loads(artifact: Any) -> list[dict[str, Any]]:
    return [dict(node.place) for node in artifact.node.derived if node.kind == "load"]


def test_saving_writes_nothing_now(demo: SqlResource) -> None:
    wine = demo.sql("SELECT * FROM wine", output="wines")
    demo.save(wine, "other.wine", aq.LoadUpdateMode.APPEND)
    assert loads(wine) == [
        {
            "connector": "SQLite",
            "connection_id": "aqueduct_demo",
            "table": "other.wine",
            "update_mode": "append",
        }
    ]
    (load,) = wine.node.derived  # type: ignore[union-attr]
    assert (load.name, load.inputs, load.outputs) == ("save to Demo", (wine.node,), ())
    assert len(demo.list_tables()) == 6


def test_saving_again_to_the_same_table_replaces_the_save(demo: SqlResource) -> None:
    wine = demo.sql("SELECT * FROM wine")
    demo.save(wine, "a", "append")
    demo.save(wine, "b", "append")
    demo.save(wine, "a", "fail")
    assert [(load["table"], load["update_mode"]) for load in loads(wine)] == [("b", "append"), ("a", "fail")]


def test_a_table_named_by_a_parameter(client: aq.Client, demo: SqlResource) -> None:
    wine, name = demo.sql("SELECT * FROM wine"), client.create_param("table", "wine_of_today")
    demo.save(wine, name, "replace")
    (load,) = wine.node.derived  # type: ignore[union-attr]
    assert load.inputs == (name.node, wine.node)
    assert load.place["table"] == ""


def test_what_cannot_be_saved(client: aq.Client, demo: SqlResource) -> None:
    wine = demo.sql("SELECT * FROM wine")
    for artifact, table, mode, said in (
        (wine, "", "append", "A table's name must be a non-empty string"),
        (wine, "t", "add", "update_mode must be one of"),
        (wine, client.create_param("n", 5), "append", "'n', must be a string, not numeric"),
        (
            wine.number_of_rows(),
            "t",
            "append",
            "Only tables can be saved to 'Demo', and 'num_rows artifact' is of",
        ),
        (wine.get(), "t", "append", "What is saved is of type DataFrame, not an artifact of the flow"),
    ):
        with pytest.raises(AuthoringError, match=said):
            demo.save(artifact, table, mode)  # type: ignore[arg-type]
    assert loads(wine) == []


def test_athena_is_only_read() -> None:
    athena = SqlResource(SERVICES["Athena"], "lake", {"database": "d", "output_location": "s3://b/o"})
    artifact = athena.sql("SELECT 1", lazy=True)
    with pytest.raises(AuthoringError, match="'lake' is Athena, which is only read"):
        athena.save(artifact, "t", "append")
    assert "connection_id" not in producer(artifact).place


def test_another_database(client: aq.Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database, database:
        database.execute("CREATE TABLE sales (day TEXT, amount REAL)")
    config = {"url": f"sqlite:///{tmp_path / 'shop.db'}", "connection_id": "shop"}
    client.connect_resource("shop", aq.ServiceType.SQLITE, config)
    assert capsys.readouterr().out.startswith("Connected 'shop': SQLite")
    again = aq.Client(config_path=tmp_path / "config.toml")
    assert again.resource("shop").table("sales").columns.tolist() == ["day", "amount"]
    assert list(again.list_resources()) == ["shop"]
    again.delete_resource("shop")
    with pytest.raises(aq.NotFound):
        again.resource("shop")


def test_a_database_that_is_not_there_is_not_kept(client: aq.Client, tmp_path: Path) -> None:
    with pytest.raises(DataSystemError):
        client.connect_resource("shop", "SQLite", {"database": str(tmp_path / "none" / "shop.db")})
    assert client.list_resources() == {}


def aq_table() -> type:
    from aqueduct_provider.sdk.authoring.artifacts import TableArtifact

    return TableArtifact
