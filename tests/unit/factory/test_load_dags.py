from __future__ import annotations

import gc
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from aqueduct_provider import DagFactory
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.factory.placeholder_dag import PREFIX
from aqueduct_provider.spec.document import MAX_BYTES
from tests.support.example_specs import FLOW_ID, compiled_document, native_document

Write = Callable[[str, Any], Path]


def flow(name: str) -> dict[str, Any]:
    return native_document(dag_id=name, flow={"id": FLOW_ID, "name": name})


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "empty": (lambda path: path.write_text(""), "empty"),
    "truncated": (lambda path: path.write_text(json.dumps(flow("x"))[:100]), "not valid JSON"),
    "binary": (lambda path: path.write_bytes(b"\xff\xfe\x00"), "not UTF-8"),
    "invalid": (lambda path: path.write_text('{"spec_version": 1, "flwo": {}}'), "did you mean 'flow'"),
    "misnamed dialect": (
        lambda path: path.write_text(json.dumps({**flow("x"), "spec_version": 9})),
        "version 1",
    ),
    "list of specs": (lambda path: path.write_text(json.dumps([flow("x")])), "JSON object"),
    "deep": (lambda path: path.write_text("[" * 100_000), "nested too deeply"),
    "huge": (
        lambda path: os.truncate(path, MAX_BYTES + 1) if path.touch() is None else None,
        "larger than 16 MiB",
    ),
    "folder": (lambda path: path.mkdir(), "not a file"),
    "pipe": (os.mkfifo, "not a file"),
    "link to itself": (link_to_itself, "cannot be read"),
    "link to nothing": (lambda path: path.symlink_to("gone"), "link to a file that does not exist"),
    "refused by Airflow": (
        lambda path: path.write_text(json.dumps({**flow("x"), "flow": flow("y" * 4000)["flow"]})),
        "Airflow refuses this flow",
    ),
    "a name of the loader": (lambda path: path.write_text(json.dumps(flow("__file__"))), "reserved"),
    "a placeholder's name": (lambda path: path.write_text(json.dumps(flow(f"{PREFIX}a.json"))), "reserved"),
}


def _unwrapped(dag: Any) -> str:
    """A DAG's docs without the line ends that make an error fit the page."""
    return " ".join(dag.doc_md.split())


@pytest.mark.parametrize("kind", BROKEN)
def test_a_bad_file_hides_nothing_and_is_seen(
    folder: Path, write: Write, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    make, message = BROKEN[kind]
    write("first.json", flow("first"))
    write("zlast.json", compiled_document(dag_id="zlast"))
    make(folder / "middle.json")
    dags = DagFactory.dags_in(folder)
    assert set(dags) == {"first", "zlast", "broken_spec__middle.json"}
    shown = dags["broken_spec__middle.json"]
    assert message in _unwrapped(shown)
    assert "middle.json has " in shown.doc_md
    assert shown.is_paused_upon_creation is True
    assert message in caplog.text


def test_a_spec_without_permission_to_read_is_seen(folder: Path, write: Write) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    write("secret.json", flow("secret")).chmod(0)
    assert "Permission denied" in _unwrapped(DagFactory.dags_in(folder)["broken_spec__secret.json"])


@pytest.mark.parametrize(
    "content",
    [
        '{"name": "a-package", "version": "1.0.0"}',
        "[1, 2]",
        '"text"',
        "null",
        '{"type": "FeatureCollection"}',
    ],
)
def test_foreign_json_is_left_alone(
    folder: Path, write: Write, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write("package.json", content)
    assert DagFactory.dags_in(folder) == {}
    assert "package.json is not an Aqueduct spec" in caplog.text


def test_hidden_files_other_files_and_folders_below_are_not_specs(folder: Path, write: Write) -> None:
    for name in (".churn.json", ".churn.json.swp", "churn.json~", "churn.json.tmp", "churn.txt"):
        write(name, "{")
    (folder / "below").mkdir()
    write("below/churn.json", flow("below"))
    write("Shout.JSON", flow("shout"))
    assert set(DagFactory.dags_in(folder)) == {"shout"}


def test_new_changed_and_removed_specs_are_seen(folder: Path, write: Write) -> None:
    path = write("a.json", flow("a"))
    assert set(DagFactory.dags_in(folder)) == {"a"}
    write("b.json", flow("b"))
    assert set(DagFactory.dags_in(folder)) == {"a", "b"}
    before = path.stat()
    write("a.json", flow("c"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert set(DagFactory.dags_in(folder)) == {"b", "c"}
    write("a.json", "{")
    assert set(DagFactory.dags_in(folder)) == {"b", "broken_spec__a.json"}
    path.unlink()
    assert set(DagFactory.dags_in(folder)) == {"b"}


def test_of_two_files_with_one_dag_id_the_one_of_that_name_wins(folder: Path, write: Write) -> None:
    write("a_copy.json", native_document(dag_id="churn", schedule=None))
    write("churn.json", native_document(dag_id="churn"))
    dags = DagFactory.dags_in(folder)
    assert set(dags) == {"churn", "broken_spec__a_copy.json"}
    assert "`churn.json`" in dags["churn"].doc_md
    assert "'churn' is the DAG id of churn.json already" in _unwrapped(dags["broken_spec__a_copy.json"])


def test_of_two_files_with_one_dag_id_else_the_first_wins(folder: Path, write: Write) -> None:
    write("b.json", flow("churn"))
    write("a.json", flow("churn"))
    dags = DagFactory.dags_in(folder)
    assert set(dags) == {"churn", "broken_spec__b.json"}
    assert "`a.json`" in dags["churn"].doc_md


def test_a_task_of_a_dag_gets_that_dag_alone_and_the_same(
    folder: Path,
    write: Write,
    task_of: Callable[[str], None],
    serialized: Callable[[Any], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("churn.json", flow("churn"))
    write("churn2.json", flow("churn2"))
    write("copy.json", flow("churn"))
    write("any name.json", compiled_document(dag_id="other"))
    write("a copy.json", compiled_document(dag_id="other"))
    write("broken.json", "{")
    write("refused.json", {**flow("refused"), "flow": flow("y" * 4000)["flow"]})
    (folder / "folder.json").mkdir()
    dags = DagFactory.dags_in(folder)
    assert len(dags) == 8
    for dag_id, dag in dags.items():
        task_of(dag_id)
        alone = DagFactory.dags_in(folder)
        assert list(alone) == [dag_id]
        assert serialized(alone[dag_id]) == serialized(dag)


def test_a_task_does_not_parse_the_other_specs(
    folder: Path, write: Write, task_of: Callable[[str], None], mocker: MockerFixture
) -> None:
    from aqueduct_provider.spec import loader

    for index in range(20):
        write(f"spec{index}.json", flow(f"flow{index}"))
    write("broken.json", "{")
    parse = mocker.spy(loader, "parse")
    task_of("flow15")
    assert list(DagFactory.dags_in(folder)) == ["flow15"]
    assert {call.args[1] for call in parse.call_args_list} == {"spec15.json"}


def test_a_task_whose_spec_broke_meanwhile_reads_why_in_its_log(
    folder: Path, write: Write, task_of: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    write("churn.json", json.dumps(flow("churn"))[:-1])
    write("other.json", "{")
    task_of("churn")
    assert DagFactory.dags_in(folder) == {}
    assert "churn.json has 1 problem" in caplog.text
    assert "other.json" not in caplog.text


def test_a_task_of_an_unknown_dag_gets_none(
    folder: Path, write: Write, task_of: Callable[[str], None]
) -> None:
    write("churn.json", flow("churn"))
    for dag_id in ("churn2", "chur", "broken_spec__gone.json", "../churn", "schedule"):
        task_of(dag_id)
        assert DagFactory.dags_in(folder) == {}


def test_a_dag_id_in_json_escapes_is_refused_for_tasks_could_not_find_it(folder: Path, write: Write) -> None:
    text = json.dumps(native_document(dag_id="wxyz"))
    write("a.json", text.replace('"wxyz"', '"\\u0077xyz"'))
    assert "without JSON escapes" in _unwrapped(DagFactory.dags_in(folder)["broken_spec__a.json"])


def test_file_names_that_are_no_unicode(folder: Path, write: Write) -> None:
    (folder / os.fsdecode(b"bad\xff.json")).write_text("{")
    (folder / os.fsdecode(b"good\xff.json")).write_text(json.dumps(flow("good")))
    dags = DagFactory.dags_in(folder)
    assert len(dags) == 2
    text = "".join(dag.doc_md + dag.dag_display_name for dag in dags.values())
    assert "bad\\xff.json" in text
    assert "good\\xff.json" in text
    assert text.encode()


def test_an_error_that_nobody_foresaw_is_shown_without_its_message(
    folder: Path, write: Write, mocker: MockerFixture
) -> None:
    from aqueduct_provider.spec import loader

    parse = loader.parse

    def fail(data: bytes, source: str) -> Any:
        if source == "a.json":
            raise RuntimeError("planted-secret")
        return parse(data, source)

    mocker.patch.object(loader, "parse", fail)
    write("a.json", flow("a"))
    write("b.json", flow("b"))
    dags = DagFactory.dags_in(folder)
    assert set(dags) == {"b", "broken_spec__a.json"}
    assert "RuntimeError in test_load_dags.py, line " in _unwrapped(dags["broken_spec__a.json"])
    assert "planted-secret" not in dags["broken_spec__a.json"].doc_md


@pytest.mark.parametrize(
    "planted",
    [
        {"aws_secret_acces_key": "planted"},
        {"aws_secret_access_key": ["planted"]},
        {"aws_secret_access_key": {"planted": "planted"}},
        {"aws_access_key_id": "planted"},
        {"region": {"key": "planted"}},
    ],
)
def test_the_error_of_a_spec_shows_no_credentials(
    folder: Path, write: Write, planted: dict[str, Any]
) -> None:
    document = compiled_document()
    document["storage_config"]["s3_config"] |= planted
    write("churn.json", document)
    (dag,) = DagFactory.dags_in(folder).values()
    assert dag.dag_id == "broken_spec__churn.json"
    assert "planted" not in dag.doc_md.replace('"planted"', "")


def test_a_policy_that_refuses_one_dag_hides_no_other(
    folder: Path, write: Write, mocker: MockerFixture
) -> None:
    from airflow import settings
    from airflow.exceptions import AirflowClusterPolicyViolation

    def policy(dag: Any) -> None:
        if dag.dag_id in refused:
            raise AirflowClusterPolicyViolation("no owner")

    mocker.patch.object(settings, "dag_policy", policy)
    write("a.json", flow("a"))
    write("b.json", flow("b"))
    refused = ["a"]
    dags = DagFactory.dags_in(folder)
    assert set(dags) == {"b", "broken_spec__a.json"}
    assert "a policy of this Airflow refuses the DAG: no owner" in _unwrapped(dags["broken_spec__a.json"])
    refused = ["a", "broken_spec__a.json"]
    assert set(DagFactory.dags_in(folder)) == {"b"}


def test_a_folder_that_does_not_exist_is_an_error_of_the_loader(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be listed: No such file"):
        DagFactory.dags_in(tmp_path / "gone")


@pytest.mark.parametrize("enabled", [True, False])
def test_the_search_for_garbage_is_left_as_it_was(folder: Path, write: Write, *, enabled: bool) -> None:
    write("bad.json", "{")
    was = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        DagFactory.dags_in(folder)
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if was else gc.disable)()


def test_the_loader_is_where_airflow_finds_the_dags_again(folder: Path, write: Write) -> None:
    write("churn.json", flow("churn"))
    write("bad.json", "{")
    loader_file = folder / "aqueduct_dags.py"
    assert {dag.fileloc for dag in DagFactory.dags_in(str(loader_file)).values()} == {str(loader_file)}
    assert {dag.fileloc for dag in DagFactory.dags_in(folder).values()} == {__file__}


def dag_bag(folder: Path) -> Any:
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models.dagbag import DagBag

        return DagBag(dag_folder=str(folder), include_examples=False)
    return DagBag(dag_folder=str(folder))


def test_airflow_loads_50_good_specs_beside_a_broken_one(folder: Path, write: Write) -> None:
    for index in range(50):
        write(f"flow{index}.json", flow(f"flow{index}"))
    write("broken.json", "{")
    bag = dag_bag(folder)
    assert bag.import_errors == {}
    assert set(bag.dags) == {f"flow{index}" for index in range(50)} | {"broken_spec__broken.json"}
    assert {dag.fileloc for dag in bag.dags.values()} == {str(folder / "aqueduct_dags.py")}
