"""Sections about a detector of one label: ROC, precision against recall, accuracy against time, mistakes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from streamer.arrays import Array
from train.evaluate.metrics.classification import durations_within
from train.evaluate.metrics.detection import DetectorScores, step_scores
from train.evaluate.metrics.spread import over_folds
from train.evaluate.predictions import Predictions, steps_between
from train.report import plots
from train.report.choice import reliability_section
from train.report.page import Cell, PageSection, figure, note, row, table, tiles
from train.report.spectra import Spectra

ON = 0.5
"""Threshold by which tables decide, since a report does not know the threshold of the released model."""
CURVE_POINTS = 400
WORST = 40


def sections(predictions: Predictions, spectra: Spectra) -> list[PageSection]:
    """Return all sections about a model that detects one label, the most important first."""
    return [
        summary(predictions),
        curves(predictions),
        against_time(predictions),
        sources(predictions),
        mistakes(predictions, spectra),
        reliability_section(*_confidences(predictions), of="judged steps"),
    ]


def summary(predictions: Predictions) -> PageSection:
    """Return the section with figures over single judged steps, and their spread over folds."""
    figures: dict[str, Callable[[DetectorScores], float]] = {
        "area under the ROC curve": DetectorScores.auc,
        "average precision": DetectorScores.average_precision,
        "true positives at 1 % false": lambda scores: scores.tpr_at_fpr(0.01),
        f"F1 at {ON:g}": lambda scores: scores.f1(ON),
    }
    spreads = {name: over_folds(predictions, _over_steps(measure)) for name, measure in figures.items()}
    body = tiles((str(spread), name) for name, spread in spreads.items())
    scores = step_scores(predictions)
    label = predictions.labels[0]
    body += note(
        f"Single steps: {len(scores.positive):,} with {label}, {len(scores.negative):,} without; "
        f"of {len(predictions.clips):,} clips."
    )
    folds = next(iter(spreads.values())).folds
    rows: list[Sequence[Cell]] = [
        (str(fold), *(spread.folds[fold] for spread in spreads.values())) for fold in folds
    ]
    return PageSection("Detection", body + table(["fold held out", *spreads], rows))


def _over_steps(measure: Callable[[DetectorScores], float]) -> Callable[[Predictions], float]:
    return lambda predictions: measure(step_scores(predictions))


def curves(predictions: Predictions) -> PageSection:
    """Return the section with the ROC curve, whole and where false alarms are few, and precision against recall."""
    scores = step_scores(predictions)
    false, true = (_thinned(x) for x in scores.roc())
    precision, recall = (_thinned(x) for x in scores.precision_recall())
    with plots.Drawing(columns=3, width=11.4, height=3.6) as drawing:
        whole, few, trade = drawing.axes
        whole.plot([0, 1], [0, 1], color=plots.FAINT, linestyle="--")
        whole.plot(false, true)
        whole.set(
            xlabel="false-positive rate",
            ylabel="true-positive rate",
            title=f"ROC, area {scores.auc():.4f}",
        )
        few.plot(np.maximum(false, 1e-4), true)
        few.axvline(0.01, color=plots.FAINT, linestyle="--")
        few.set(
            xscale="log",
            xlim=(1e-4, 1),
            ylim=(-0.02, 1.02),
            xlabel="false-positive rate",
            title="the same, few false alarms",
        )
        trade.plot(recall, precision)
        found = scores.average_precision()
        trade.set(
            xlabel="recall", ylabel="precision", ylim=(-0.02, 1.02), title=f"average precision {found:.4f}"
        )
    return PageSection("ROC and precision-recall", figure(drawing.svg("ROC and precision-recall curves")))


def _thinned(curve: Array) -> Array:
    """Return at most `CURVE_POINTS` points of a curve, with both ends."""
    if len(curve) <= CURVE_POINTS:
        return curve
    log = (
        np.geomspace(1, len(curve), CURVE_POINTS // 2) - 1
    )  # dense at the beginning, the interesting part of a ROC
    even = np.linspace(0, len(curve) - 1, CURVE_POINTS // 2)
    places = np.unique(np.concatenate([log, even, len(curve) - 1 - log]).round().astype(int))
    thinned: Array = curve[places]
    return thinned


def against_time(predictions: Predictions) -> PageSection:
    """Return the section with figures of the newest score at times after the start of clips, over clips judged then."""
    rows, series = [], {}
    for duration_s in durations_within(predictions):
        step = min(int(duration_s / predictions.step_s + 1e-6), predictions.scores.shape[1]) - 1
        at = steps_between(predictions, step, step + 1)
        scores = step_scores(at)
        if not (len(scores.positive) and len(scores.negative)):
            continue
        found = (scores.auc(), scores.tpr_at_fpr(0.01), scores.f1(ON))
        rows.append((f"{duration_s:g} s", *found, len(scores.positive), len(scores.negative)))
        series[duration_s] = found
    names = ["AUC", "true positives at 1 % false", f"F1 at {ON:g}"]
    lines = {name: (list(series), [found[n] for found in series.values()]) for n, name in enumerate(names)}
    drawing = plots.lines(lines, "seconds since the start", "figure", unit_range=True, log_x=True)
    head = ["time", *names, f"clips with {predictions.labels[0]}", "without"]
    body = row([figure(drawing), table(head, rows)])
    return PageSection(
        "Accuracy against time", body + note("The figures are those of the newest score at that time.")
    )


def sources(predictions: Predictions) -> PageSection:
    """Return the section with the share of judged steps at or above the threshold `ON`, by data set."""
    shares: dict[str, list[Array]] = defaultdict(list)
    for _, clip, scores, truth in _judged_clips(predictions):
        source = clip.split("/")[0]
        for value, kind in ((1, "with"), (0, "without")):
            if (truth == value).any():
                shares[f"{source}, {kind} {predictions.labels[0]}"].append(scores[truth == value])
    rows = [
        (
            name,
            float(np.mean(np.concatenate(found) >= ON)),
            float(np.median(np.concatenate(found))),
            len(found),
        )
        for name, found in sorted(shares.items())
    ]
    return PageSection(
        "By data set", table(["clips", f"steps at or above {ON:g}", "median score", "clips"], rows)
    )


def mistakes(predictions: Predictions, spectra: Spectra) -> PageSection:
    """Return the section with clips that have steps on the wrong side of the threshold `ON`, the worst first.

    Each has its scores over time; the worst have a spectrogram.
    """
    found = []
    for place, clip, scores, truth in _judged_clips(predictions):
        wrong = float(np.mean((scores >= ON) != (truth == 1)))
        if wrong > 0:
            found.append((wrong, place, clip, "with" if truth.max() == 1 else "without"))
    found.sort(key=lambda item: (-item[0], item[2]))
    label = predictions.labels[0]
    rows = [
        (
            clip,
            spectra.category(clip),
            f"{kind} {label}",
            wrong,
            plots.sparkline([predictions.scores[place, : predictions.steps[place], 0]]),
        )
        for wrong, place, clip, kind in found[:WORST]
    ]
    body = note(
        f"{len(found):,} of {len(predictions.clips):,} clips have a judged step on the wrong side of {ON:g}."
    )
    body += table(["clip, worst first", "category", "truth", "steps wrong", "score over time, 0 to 1"], rows)
    for wrong, _, clip, kind in found[:3]:
        spectrum = spectra.find(clip)
        if spectrum is None:
            body += note(f"No spectrogram of {clip}: not among the data sets in STREAMER_DATA.")
        else:
            title = f"{clip}, {kind} {label}, {wrong:.0%} of steps wrong"
            body += figure(plots.spectrograms({title: spectrum.frames}, spectrum.frame_s))
    return PageSection("Misclassified clips", body)


def _judged_clips(predictions: Predictions) -> Iterator[tuple[int, str, Array, Array]]:
    """Yield index, name, and scores and truths of the judged steps of every clip that has some."""
    assert predictions.step_truth is not None
    for place, clip in enumerate(predictions.clips):
        scores, truth = predictions.scores[place, :, 0], predictions.step_truth[place]
        judged = ~np.isnan(scores) & (truth >= 0)
        if judged.any():
            yield place, clip, scores[judged], truth[judged]


def _confidences(predictions: Predictions) -> tuple[Array, Array]:
    scores = step_scores(predictions)
    truth = np.concatenate([np.ones(len(scores.positive)), np.zeros(len(scores.negative))])
    return np.concatenate([scores.positive, scores.negative]), truth
