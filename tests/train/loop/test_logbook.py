import json

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.train.toy_task import run_line
from train.loop.logbook import Logbook
from train.loop.run import read_metrics


def board(folder):
    events = EventAccumulator(str(folder))
    events.Reload()
    return {name: [(e.step, e.value) for e in events.Scalars(name)] for name in events.Tags()["scalars"]}


def test_tensorboard_holds_what_the_metrics_do(tmp_path):
    run_line(tmp_path)
    scalars = board(tmp_path)
    noted = read_metrics(tmp_path)
    assert set(scalars) == set(noted[0]) - {"step"}
    for name, values in scalars.items():
        assert [step for step, _ in values] == [4, 8, 12]
        for (_, value), line in zip(values, noted, strict=True):
            assert abs(value - line[name]) <= 1e-6 * max(1.0, abs(line[name]))


def test_tensorboard_forgets_what_a_resumed_run_does_again(tmp_path):
    with Logbook(tmp_path, 0, 8) as log:
        for step in (4, 8):
            log.add({"loss": 1.0})
            log.note(step, {"score": 0.0})
    with Logbook(tmp_path, 4, 8) as log:
        log.add({"loss": 2.0})
        log.note(8, {"score": 5.0})
    assert board(tmp_path) == {"loss": [(4, 1.0), (8, 2.0)], "score": [(4, 0.0), (8, 5.0)]}
    assert read_metrics(tmp_path) == [
        {"step": 4, "loss": 1.0, "score": 0.0},
        {"step": 8, "loss": 2.0, "score": 5.0},
    ]


def test_losses_are_means_since_the_last_line(tmp_path):
    with Logbook(tmp_path, 0, 4) as log:
        for value in (1.0, 2.0, 6.0):
            log.add({"loss": value, "loss/a": value / 2})
        assert log.note(3, {}) == {"step": 3, "loss": 3.0, "loss/a": 1.5}
        log.add({"loss": 7.0, "loss/a": 0.0})
        assert log.note(4, {}) == {"step": 4, "loss": 7.0, "loss/a": 0.0}


def test_a_line_that_a_kill_cut_short_is_left_out(tmp_path):
    (tmp_path / "metrics.jsonl").write_text(json.dumps({"step": 4, "loss": 1.0}) + '\n{"step": 8, "lo')
    assert read_metrics(tmp_path) == [{"step": 4, "loss": 1.0}]


def test_the_bar_is_silent_where_nobody_looks(tmp_path, capfd):
    run_line(tmp_path)
    assert capfd.readouterr() == ("", "")
