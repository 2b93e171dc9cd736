"""Sections about a choice among labels: accuracy, labels, confusions, mistakes, reliability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from markupsafe import Markup
from scipy.special import softmax

from streamer.arrays import Array
from train.evaluate import calibration
from train.evaluate.metrics import classification, clip_scores, spread
from train.evaluate.predictions import Predictions, select
from train.report import plots
from train.report.page import Cell, PageSection, figure, heading, key, note, row, table, tiles
from train.report.spectra import Spectra

RULE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "mean_log": "mean log-probability over the steps so far",
        "mean_probability": "mean probability over the steps so far",
        "latest": "probability at the newest step, because the model itself averages",
    }
)
PAIRS = 4
MISTAKES = 60


def sections(predictions: Predictions, spectra: Spectra) -> list[PageSection]:
    """Return all sections about a model that chooses among labels, the most important first."""
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
    """Return the section with the accuracy, its spread over folds and its confidence interval."""
    right = classification.right(predictions)
    low, high = spread.bootstrap(right)
    folds = spread.over_folds(
        select(predictions, classification.judged(predictions)), classification.accuracy
    )
    body = tiles(
        [
            (str(folds), "accuracy, mean and spread over folds" if len(folds.folds) > 1 else "accuracy"),
            (f"{low:.3f} to {high:.3f}", "95 % confidence interval, bootstrap over clips"),
            (f"{right.sum():,} of {len(right):,}", "clips classified rightly"),
        ]
    )
    rows = [(f"{fold}", value, int(np.sum(predictions.folds == fold))) for fold, value in folds.folds.items()]
    rule = f"The label of a clip is the one with the highest {RULE_NAMES[predictions.rule]}."
    return PageSection("Accuracy", body + table(["fold held out", "accuracy", "clips"], rows) + note(rule))


def against_time(predictions: Predictions) -> PageSection:
    """Return the section with the accuracy against the time since the start of a clip."""
    ways = {"by all steps so far": classification.accuracy_by_duration(predictions)}
    if predictions.rule != "latest":
        ways["by the newest step alone"] = classification.accuracy_by_duration(
            predictions, clip_scores.latest
        )
    drawing = plots.lines(
        {name: _points(found) for name, found in ways.items()},
        "seconds since the start",
        "accuracy",
        unit_range=True,
        log_x=True,
    )
    times = next(iter(ways.values()))
    rows: list[Sequence[Cell]] = [(f"{s:g} s", *(found[s] for found in ways.values())) for s in times]
    return PageSection(
        "Accuracy against time",
        row([figure(drawing), table(["time", *ways], rows)])
        + note("Shorter clips count with their whole length."),
    )


def _points(found: dict[float, float]) -> tuple[list[float], list[float]]:
    return list(found), list(found.values())


def labels(predictions: Predictions) -> PageSection:
    """Return the section with precision, recall and F1 of each label, the worst F1 first."""
    rows = [(f.label, f.precision, f.recall, f.f1, f.clips) for f in classification.by_label(predictions)]
    body = table(["label, worst F1 first", "precision", "recall", "F1", "clips"], rows)
    return PageSection("Labels", body)


def confusion(predictions: Predictions) -> PageSection:
    """Return the section with the confusion matrix: counts of clips by true and by predicted label."""
    drawing = plots.confusion(classification.confusion(predictions), predictions.labels)
    return PageSection(
        "Confusion matrix", figure(drawing, "Counts of clips; the shade is the share of the truth's clips.")
    )


def confused(predictions: Predictions, spectra: Spectra) -> PageSection:
    """Return the section with the most confused pairs of labels.

    For each pair, a clip of one label that was taken for the other label is shown beside a clip of that other label.
    """
    title, names = "Most confused pairs", predictions.labels
    pairs = classification.most_confused(classification.confusion(predictions), 12)
    if not pairs:
        return PageSection(title, note("There are no mistakes."))
    body = table(
        ["truth", "predicted", "clips"],
        [(names[truth], names[taken_for], count) for truth, taken_for, count in pairs],
    )
    scores = clip_scores.by_clip(predictions)
    for truth, taken_for, _ in pairs[:PAIRS]:
        body += heading(f"{names[truth]} taken for {names[taken_for]}")
        body += _side_by_side(predictions, scores, truth, taken_for, spectra)
    return PageSection(title, body)


def _side_by_side(
    predictions: Predictions, scores: Array, truth: int, taken_for: int, spectra: Spectra
) -> Markup:
    """Show the most certain mistake beside the most certain right answer."""
    chosen = scores.argmax(axis=1)
    clips = {
        f"{predictions.labels[truth]}, taken for {predictions.labels[taken_for]}": (
            predictions.truth == truth
        )
        & (chosen == taken_for),
        f"{predictions.labels[taken_for]}, rightly": (predictions.truth == taken_for) & (chosen == taken_for),
    }
    found, missing = {}, []
    for title, among in clips.items():
        places = np.flatnonzero(among)
        if not len(places):
            continue
        clip = predictions.clips[places[scores[places, taken_for].argmax()]]
        spectrum = spectra.find(clip)
        if spectrum is None:
            missing.append(clip)
        else:
            found[f"{title} ({clip})"] = spectrum
    frame_s = {spectrum.frame_s for spectrum in found.values()}
    body = Markup()
    if found:
        body += figure(plots.spectrograms({t: s.frames for t, s in found.items()}, frame_s.pop()))
    if missing:
        body += note(f"No spectrogram of {', '.join(missing)}: not among the data sets in STREAMER_DATA.")
    return body


def mistakes(predictions: Predictions) -> PageSection:
    """Return the section with the misclassified clips, the most certain first.

    Each has the scores of the true and of the predicted label over time.
    """
    title, names = "Misclassified clips", predictions.labels
    scores = clip_scores.by_clip(predictions)
    if predictions.rule == "mean_log":
        scores = softmax(scores, axis=1)
    predicted = scores.argmax(axis=1)
    wrong = np.flatnonzero(classification.judged(predictions) & (predicted != predictions.truth))
    if not len(wrong):
        return PageSection(title, note("None."))
    surest = wrong[np.argsort(-scores[wrong, predicted[wrong]], kind="stable")][:MISTAKES]
    rows = [
        (
            predictions.clips[n],
            names[predictions.truth[n]],
            names[predicted[n]],
            float(scores[n, predicted[n]]),
            plots.sparkline(
                [
                    predictions.scores[n, : predictions.steps[n], k]
                    for k in (predictions.truth[n], predicted[n])
                ]
            ),
        )
        for n in surest
    ]
    legend = key(
        f"{len(wrong):,} clips, the {len(surest)} most certain first. Over time, from 0 to 1: ",
        ["the score of the truth", "the score of the prediction"],
    )
    return PageSection(title, legend + table(["clip", "truth", "predicted", "score", "over time"], rows))


def calibrated(predictions: Predictions) -> PageSection:
    """Return the section with the reliability of the highest score of each step."""
    steps = predictions.scores[classification.judged(predictions)]
    truth = np.repeat(predictions.truth[classification.judged(predictions)][:, None], steps.shape[1], axis=1)
    there = ~np.isnan(steps[:, :, 0])
    steps, truth = steps[there], truth[there]
    return reliability_section(
        steps.max(axis=1), steps.argmax(axis=1) == truth, "steps, the highest score of each"
    )


def reliability_section(confidence: Array, right: Array, of: str) -> PageSection:
    """Return the section with the reliability diagram and the expected calibration error.

    Parameters
    ----------
    confidence : Array, shape (decisions,)
        Confidence of each decision, 0 to 1.
    right : Array, shape (decisions,)
        Whether each decision was right.
    of : str
        Name of the decisions that are counted, such as ``judged steps``.
    """
    found = calibration.compute_reliability(confidence, right)
    body = tiles(
        [(f"{found.expected_error:.3f}", "expected calibration error"), (f"{len(confidence):,}", of)]
    )
    drawing = plots.reliability(found.confidence, found.share, found.counts)
    return PageSection(
        "Reliability",
        body
        + figure(
            drawing, "On the dashed line confidence equals accuracy; below it the model is overconfident."
        ),
    )
