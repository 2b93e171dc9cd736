"""`python -m train mlflow` writes runs into a local store, which MLflow, where it is installed, reads."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from streamer.errors import ConfigError
from tests.train.made_predictions import choice
from tests.train.report.test_report import make_run
from train.report import tracking


class Client:
    """Stands in for MLflow's client, and keeps what it is given."""

    def __init__(self):
        self.experiments, self.runs, self.deleted = {}, {}, []

    def get_experiment_by_name(self, name):
        found = self.experiments.get(name)
        return SimpleNamespace(experiment_id=found) if found else None

    def create_experiment(self, name, artifact_location):
        self.experiments[name] = str(len(self.experiments) + 1)
        self.location = artifact_location
        return self.experiments[name]

    def search_runs(self, experiment_ids, filter_string):
        wanted = filter_string.split("= ")[1].strip("'")
        there = [key for key, run in self.runs.items() if run["tags"][tracking.SOURCE] == wanted]
        return [SimpleNamespace(info=SimpleNamespace(run_id=key)) for key in there if key not in self.deleted]

    def delete_run(self, run_id):
        self.deleted.append(run_id)

    def create_run(self, experiment_id, tags, run_name):
        number = f"run{len(self.runs) + 1}"
        self.runs[number] = {"tags": tags, "name": run_name, "metrics": [], "params": {}, "files": []}
        return SimpleNamespace(info=SimpleNamespace(run_id=number))

    def log_batch(self, run_id, metrics, params):
        assert len(metrics) <= tracking.VALUES
        assert len(params) <= tracking.VALUES
        self.runs[run_id]["metrics"] += metrics
        self.runs[run_id]["params"] |= dict(params)

    def log_artifact(self, run_id, local_path, artifact_path=None):
        self.runs[run_id]["files"].append(f"{artifact_path or ''}/{local_path.rpartition('/')[2]}")

    def set_terminated(self, run_id):
        self.runs[run_id]["ended"] = True


MLFLOW = SimpleNamespace(
    entities=SimpleNamespace(
        Param=lambda name, value: (name, value),
        Metric=lambda name, value, time_ms, step: (name, value, step),
    )
)


@pytest.fixture
def run(tmp_path):
    folder = make_run(tmp_path / "runs" / "sounds" / "first", choice(1))
    (folder / "best.pt").write_bytes(b"weights")
    return folder


def test_a_run_is_written_with_settings_curves_figures_pictures_and_checkpoint(run, tmp_path):
    client = Client()
    number = tracking.write_run(MLFLOW, client, run, tmp_path / "store")
    assert client.location == (tmp_path / "store" / "artifacts" / "sounds").as_uri()
    written = client.runs[number]
    assert written["name"] == "first"
    assert written["tags"] == {tracking.SOURCE: str(run), "commit": "abc"}
    assert written["params"]["loop.learning_rate"] == "0.1"
    assert [found for found in written["metrics"] if found[0] == "score"] == [
        ("score", 0.25, 10),
        ("score", 0.5, 20),
        ("score", 0.75, 30),
    ]
    assert ("evaluation.test.clips.accuracy", 0.1, 0) in written["metrics"]
    assert {"/best.pt", "/config.json", "saliency/1.npz", "pictures/confusion.svg"} <= set(written["files"])
    assert written["ended"]


def test_a_run_that_is_written_again_replaces_the_first(run, tmp_path):
    client = Client()
    first = tracking.write_run(MLFLOW, client, run, tmp_path)
    second = tracking.write_run(MLFLOW, client, run, tmp_path)
    assert client.deleted == [first]
    assert first != second
    assert len(client.experiments) == 1


def test_a_run_with_predictions_of_another_split_alone_is_drawn_by_them(run, tmp_path):
    (run / "predictions" / "test.npz").rename(run / "predictions" / "validation.npz")
    client = Client()
    number = tracking.write_run(MLFLOW, client, run, tmp_path / "store")
    assert "pictures/confusion.svg" in client.runs[number]["files"]


def test_names_of_metrics_have_only_what_mlflow_allows():
    assert tracking._allowed("music under speech, at 1 % false.-10 dB") == (
        "music under speech_ at 1 _ false.-10 dB"
    )


def test_without_mlflow_the_way_to_install_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(
        ConfigError, match=r"MLflow cannot be imported .*; expected the extra mlflow: pip install"
    ):
        tracking.open_store(tmp_path / "store")
    assert not (tmp_path / "store").exists()


@pytest.mark.filterwarnings("ignore")  # of MLflow's own packages
def test_mlflow_reads_what_is_written(run, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed: pip install 'streamer[mlflow]'")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(tracking.mlflow_command, [], catch_exceptions=False)
    assert done.output.splitlines()[-1] == (
        f"mlflow ui --backend-store-uri sqlite:///{tmp_path}/runs/mlflow/mlflow.db"
    )
    client = mlflow.MlflowClient(tracking_uri=tracking.address(tmp_path / "runs" / "mlflow"))
    experiment = client.get_experiment_by_name("sounds")
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.data.params["loop.learning_rate"] == "0.1"
    assert found.data.metrics["evaluation.test.clips.accuracy"] == pytest.approx(0.1)
    history = client.get_metric_history(found.info.run_id, "score")
    assert [(point.step, point.value) for point in history] == [(10, 0.25), (20, 0.5), (30, 0.75)]
    names = {entry.path for entry in client.list_artifacts(found.info.run_id)}
    assert {"best.pt", "config.json", "pictures", "saliency"} <= names
