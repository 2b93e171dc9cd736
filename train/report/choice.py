"""Sections on a choice among labels: confusions, labels, mistakes, accuracy against time heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from scipy.special import softmax

from streamer.arrays import Array
from train.evaluate import calibration, metrics
from train.evaluate.predictions import Predictions
from train.report import plots
from train.report.page import Cell, Html, PageSection, figure, note, table, tiles
from train.report.spectra import Spectra

RULES_TOLD: Mapping[str, str] = MappingProxyType(
    {
        "mean_log": "mean log-probability over the steps heard",
        "mean_probability": "mean probability over the steps heard",
        "latest": "probability at the newest step, where the model sums up what it heard",
    }
)
PAIRS = 4
MISTAKES = 60


def sections(predictions: Predictions, spectra: Spectra) -> list[PageSection]:
    """All of them, most telling first."""
    return [
        summary(predictions),
        against_time(predictions),
        labels(predictions),
        confusion(predictions),
        confused(predictions, spectra),
        mistakes(predictions),
        calibrated(predictions),
    ]


def summary(predictions: Predictions) -> PageSection:
    """Accuracy with its spread over folds and its confidence interval."""
    right = metrics.right(predictions)
    low, high = metrics.bootstrap(right)
    folds = metrics.over_folds(metrics.select(predictions, metrics.judged(predictions)), metrics.accuracy)
    body = tiles(
        [
            (str(folds), "accuracy, mean and spread over folds" if len(folds.folds) > 1 else "accuracy"),
            (f"{low:.3f} to {high:.3f}", "95 % interval, clips drawn anew"),
            (f"{right.sum():,} of {len(right):,}", "clips said rightly"),
        ]
    )
    rows = [(f"{fold}", value, int(np.sum(predictions.folds == fold))) for fold, value in folds.folds.items()]
    rule = f"A clip is what has the highest {RULES_TOLD[predictions.rule]}."
    return PageSection("Accuracy", body + table(["fold held out", "accuracy", "clips"], rows) + note(rule))


def against_time(predictions: Predictions) -> PageSection:
    """How much of a clip it takes to say what it is."""
    ways = {"by all that was heard": metrics.accuracy_by_duration(predictions)}
    if predictions.rule != "latest":
        ways["by the newest step alone"] = metrics.accuracy_by_duration(predictions, metrics.latest)
    drawing = plots.lines(
        {name: _points(found) for name, found in ways.items()},
        "seconds heard",
        "accuracy",
        unit_range=True,
        log_x=True,
    )
    times = next(iter(ways.values()))
    rows: list[Sequence[Cell]] = [(f"{s:g} s", *(found[s] for found in ways.values())) for s in times]
    return PageSection(
        "Accuracy against time heard",
        f'<div class="row">{figure(drawing)}{table(["heard", *ways], rows)}</div>'
        + note("Clips shorter than the time count with all that they have."),
    )


def _points(found: dict[float, float]) -> tuple[list[float], list[float]]:
    return list(found), list(found.values())


def labels(predictions: Predictions) -> PageSection:
    """Precision, recall, F1 by label, worst first."""
    rows = [(f.label, f.precision, f.recall, f.f1, f.clips) for f in metrics.by_label(predictions)]
    body = table(["label, worst F1 first", "precision", "recall", "F1", "clips"], rows)
    return PageSection("Labels", body)


def confusion(predictions: Predictions) -> PageSection:
    """What was said of what."""
    drawing = plots.confusion(metrics.confusion(predictions), predictions.labels)
    return PageSection(
        "Confusion matrix", figure(drawing, "Counts of clips; the shade is the share of the truth's clips.")
    )


def confused(predictions: Predictions, spectra: Spectra) -> PageSection:
    """The most confused pairs: a clip that was mistaken beside one that is what it was mistaken for."""
    title, names = "Most confused pairs", predictions.labels
    pairs = metrics.most_confused(metrics.confusion(predictions), 12)
    if not pairs:
        return PageSection(title, note("No clip was said wrongly."))
    body = table(
        ["truth", "said", "clips"], [(names[truth], names[said], count) for truth, said, count in pairs]
    )
    said_scores = metrics.by_clip(predictions)
    for truth, said, _ in pairs[:PAIRS]:
        body += f"<h3>{names[truth]} taken for {names[said]}</h3>"
        body += _side_by_side(predictions, said_scores, truth, said, spectra)
    return PageSection(title, body)


def _side_by_side(predictions: Predictions, scores: Array, truth: int, said: int, spectra: Spectra) -> str:
    """The surest mistake beside the surest right answer."""
    chosen = scores.argmax(axis=1)
    clips = {
        f"{predictions.labels[truth]}, taken for {predictions.labels[said]}": (predictions.truth == truth)
        & (chosen == said),
        f"{predictions.labels[said]}, rightly": (predictions.truth == said) & (chosen == said),
    }
    found, missing = {}, []
    for title, among in clips.items():
        places = np.flatnonzero(among)
        if not len(places):
            continue
        clip = predictions.clips[places[scores[places, said].argmax()]]
        spectrum = spectra.find(clip)
        if spectrum is None:
            missing.append(clip)
        else:
            found[f"{title} ({clip})"] = spectrum
    frame_s = {spectrum.frame_s for spectrum in found.values()}
    drawings = [plots.spectrograms({t: s.frames for t, s in found.items()}, frame_s.pop())] if found else []
    lost = (
        note(f"No spectrogram of {', '.join(missing)}: not among the data sets in STREAMER_DATA.")
        if missing
        else ""
    )
    return "".join(map(figure, drawings)) + lost


def mistakes(predictions: Predictions) -> PageSection:
    """Clips that were said wrongly, surest first, with the scores of truth and of what was said over time."""
    title, names = "Misclassified clips", predictions.labels
    scores = metrics.by_clip(predictions)
    if predictions.rule == "mean_log":
        scores = softmax(scores, axis=1)
    said = scores.argmax(axis=1)
    wrong = np.flatnonzero(metrics.judged(predictions) & (said != predictions.truth))
    if not len(wrong):
        return PageSection(title, note("None."))
    surest = wrong[np.argsort(-scores[wrong, said[wrong]], kind="stable")][:MISTAKES]
    rows = [
        (
            predictions.clips[n],
            names[predictions.truth[n]],
            names[said[n]],
            float(scores[n, said[n]]),
            Html(
                plots.sparkline(
                    [
                        predictions.scores[n, : predictions.steps[n], k]
                        for k in (predictions.truth[n], said[n])
                    ]
                )
            ),
        )
        for n in surest
    ]
    legend = (
        f'<p class="note">{len(wrong):,} clips, the {len(surest)} surest first. Over time, from 0 to 1: '
        '<span class="key-1">the score of the truth</span>, <span class="key-2">that of what was said</span>.</p>'
    )
    return PageSection(title, legend + table(["clip", "truth", "said", "sure", "over time"], rows))


def calibrated(predictions: Predictions) -> PageSection:
    """Whether 0.8 means 0.8: single steps, of the label that has the highest score."""
    steps = predictions.scores[metrics.judged(predictions)]
    truth = np.repeat(predictions.truth[metrics.judged(predictions)][:, None], steps.shape[1], axis=1)
    there = ~np.isnan(steps[:, :, 0])
    steps, truth = steps[there], truth[there]
    return reliability_section(
        steps.max(axis=1), steps.argmax(axis=1) == truth, "steps, the highest score of each"
    )


def reliability_section(confidence: Array, right: Array, of: str) -> PageSection:
    """The diagram and the expected calibration error."""
    found = calibration.compute_reliability(confidence, right)
    body = tiles(
        [(f"{found.expected_error:.3f}", "expected calibration error"), (f"{len(confidence):,}", of)]
    )
    drawing = plots.reliability(found.confidence, found.share, found.counts)
    return PageSection(
        "Reliability",
        body + figure(drawing, "On the dashed line, confidence is what it says; below, too sure."),
    )
