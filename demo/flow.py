"""The demo's flow: plain functions that train and judge a model of the wine data set of scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from demo.draft import Draft, Json

REQUIREMENTS = Path(__file__).with_name("requirements.txt").read_text().split()
DAG_ID = "wine_quality"
TARGET = "target"


def load_wine() -> Any:
    """Chemical analyses of 178 Italian wines, and which of three grapes each is made of."""
    from sklearn import datasets

    return datasets.load_wine(as_frame=True).frame


def split(wines: Any) -> tuple[Any, Any]:
    """Every fourth wine is kept back, to judge the model with."""
    kept_back = wines.index % 4 == 0
    return wines[~kept_back].reset_index(drop=True), wines[kept_back].reset_index(drop=True)


def train(wines: Any, n_estimators: float) -> Any:
    """A random forest of so many trees that tells the grape from the analysis."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(n_estimators=int(n_estimators), random_state=0)
    model.fit(wines.drop(columns=TARGET), wines[TARGET])
    print(f"trained {len(model.estimators_)} trees with {len(wines)} wines")
    return model


def predict(model: Any, wines: Any) -> Any:
    """The model's answer for each wine that it has not seen, beside the truth."""
    predicted = model.predict(wines.drop(columns=TARGET))
    return wines[["alcohol", "color_intensity", TARGET]].assign(predicted=predicted)


def accuracy(answers: Any) -> float:
    """The share of right answers."""
    return float((answers["predicted"] == answers[TARGET]).mean())


def accurate_enough(share: float) -> bool:
    """At least nine of ten answers must be right."""
    return share >= 0.9


def wine_flow(artifact_store: Json) -> Draft:
    """The flow's spec and archives."""
    flow = Draft(DAG_ID, artifact_store, description=__doc__ or "", tags=["demo"])
    ml = REQUIREMENTS
    flow.parameter("n_estimators", "numeric", 10, "Number of trees in the forest.")
    flow.call(load_wine, outputs={"wines": "table"}, requirements=ml)
    flow.call(split, "wines", outputs={"training": "table", "kept_back": "table"}, requirements=ml)
    flow.call(train, "training", "n_estimators", outputs={"model": "picklable"}, requirements=ml)
    flow.system_metric("training_time", "runtime", "model")
    flow.call(predict, "model", "kept_back", outputs={"answers": "table"}, requirements=ml)
    flow.call(accuracy, "answers", outputs={"share": "numeric"}, kind="metric", requirements=ml)
    # Needs nothing but what every worker has, so it runs in the worker's own Python.
    flow.call(accurate_enough, "share", outputs={"good": "boolean"}, kind="check", severity="error")
    return flow
