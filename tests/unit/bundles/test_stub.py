from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from aqueduct_provider.bundles.stub import dag_of_stub, stub_name, stub_text
from aqueduct_provider.errors import SpecError
from aqueduct_provider.factory import time_limit
from tests.unit.bundles.conftest import Bundle, Write, flow

SHA256 = "a" * 64


def test_airflow_takes_the_text_for_a_dag_file() -> None:
    text = stub_text(SHA256).lower()
    assert "airflow" in text
    assert "dag" in text


@pytest.mark.parametrize("nasty", ['"); import os  #', "a\nb", "\\", '\'"""', "\u2028", "{sha256}", "\udcff"])
def test_texts_of_others_stay_texts(nasty: str) -> None:
    (call,) = [
        node
        for node in ast.walk(ast.parse(stub_text("", taken_by=nasty, problem=nasty)))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "dag_of_stub"
    ]
    given = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    assert given == {"sha256": "", "taken_by": nasty, "problem": nasty}


def test_a_name_that_no_module_has_and_every_file_system_takes() -> None:
    assert stub_name("churn.json") == "churn.json.py"
    names = {stub_name(letter * 250 + ".json") for letter in "ab"}
    assert len(names) == 2
    assert all(len(name) < 256 for name in names)


def test_the_dag_of_a_stub(bundle: Bundle, write: Write, specs: Path) -> None:
    write("churn.json", flow("churn"))
    bundle.refresh()
    stub = bundle.stubs["churn.json.py"]
    (dag,) = bundle.run(stub).values()
    assert dag.dag_id == "churn"
    assert dag.fileloc == str(stub)
    assert f"from `{specs}/churn.json`" in dag.doc_md


def test_a_stub_of_a_pinned_version_finds_the_bundle_too(bundle: Bundle, write: Write) -> None:
    write("churn.json", flow("churn"))
    bundle.refresh()
    pinned = bundle.base / "versions" / "1" / "churn.json.py"
    pinned.parent.mkdir(parents=True)
    shutil.copy(bundle.stubs["churn.json.py"], pinned)
    assert set(bundle.run(pinned)) == {"churn"}


def test_errors_name_the_spec(bundle: Bundle, write: Write, specs: Path) -> None:
    write("broken.json", {**flow("broken"), "flwo": 1})
    write("taken.json", flow("churn"))
    write("churn.json", flow("churn"))
    write("reserved.json", flow("__file__"))
    bundle.refresh()
    for name, message in {
        "broken": r"\$\.flwo: unknown field, did you mean 'flow'",
        "taken": "'churn' is the DAG id of churn.json already",
        "reserved": "is reserved",
    }.items():
        with pytest.raises(SpecError, match=message) as caught:
            bundle.run(bundle.stubs[f"{name}.json.py"])
        assert str(caught.value).startswith(f"{specs}/{name}.json has 1 problem")
    assert set(bundle.run(bundle.stubs["churn.json.py"])) == {"churn"}


def test_a_problem_of_the_source_is_the_error(base: Path) -> None:
    with pytest.raises(SpecError, match=r"churn.json has 1 problem.*too large"):
        dag_of_stub(str(base / "tracking" / "churn.json.py"), sha256="", problem="too large")


# The end of the time may fall into a callback of the garbage collector, such as Hypothesis's; it is repeated.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_slow_spec_is_the_error_of_its_own_stub(
    bundle: Bundle, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = flow("slow")
    slow["operators"] += [
        {**slow["operators"][1], "id": f"t{index}", "task_id": f"t{index}", "outputs": []}
        for index in range(4000)
    ]
    write("slow.json", slow)
    write("churn.json", flow("churn"))
    bundle.refresh()
    (dag,) = bundle.run(bundle.stubs["churn.json.py"]).values()
    assert dag.dag_id == "churn"
    monkeypatch.setattr(time_limit, "SECONDS", 0.2)
    with pytest.raises(SpecError, match=r"slow\.json has 1 problem: .* within 0\.2 s of computing"):
        bundle.run(bundle.stubs["slow.json.py"])


def test_a_spec_that_is_slow_to_read_is_shown_by_its_stub(
    bundle: Bundle, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = flow("slow")
    slow["operators"] *= 600
    write("slow.json", slow)
    write("churn.json", flow("churn"))
    monkeypatch.setattr(time_limit, "SECONDS", 0.001)
    bundle.refresh()
    monkeypatch.undo()
    assert {"slow.json.py", "churn.json.py"} == bundle.stubs.keys()
    with pytest.raises(SpecError, match="already taken"):
        bundle.run(bundle.stubs["slow.json.py"])
