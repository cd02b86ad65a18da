"""The picture of an evaluation: the sounds on average, and how much of each target is used up (lesson 09)."""

from matplotlib.figure import Figure

from tad_course.config import LENGTH_SAMPLES, SAMPLE_RATE
from tad_course.display import plots
from tad_course.drums.voices import LABELS
from tad_course.evaluation.extract import Heard

LIMITS_DB = (-80.0, 0.0)
DIFFERENCE_DB = (-20.0, 20.0)
SHOWN = (0.02, 100.0)  # of what a target allows


def scorecard(measures: list, made: Heard, real: Heard, labels: tuple[str, ...]) -> Figure:
    """Return a figure: for each label the mean log-mel spectrograms and their difference; beside them the targets.

    Args:
        measures: of `evaluate.measures`; those without a target are not shown.
        made: sounds of the model.
        real: sounds of the drum machine.
        labels: one row of pictures each.
    """
    fig = Figure(figsize=(14, max(4.5, 0.6 + 2.1 * len(labels))), layout="constrained", dpi=100)
    left, right = fig.subfigures(1, 2, width_ratios=(1.6, 1))
    _pictures(left, made, real, labels)
    _targets(right.subplots(), [m for m in measures if m.used is not None])
    return fig


def _pictures(part, made: Heard, real: Heard, labels: tuple[str, ...]) -> None:
    axes = part.subplots(len(labels), 3, sharex=True, sharey=True, squeeze=False)
    length_ms = LENGTH_SAMPLES / SAMPLE_RATE * 1000
    for row, label in zip(axes, labels, strict=True):
        a, b = (heard.pictures[LABELS.index(label)] for heard in (real, made))
        bands = a.shape[0]
        for ax, picture, title in zip(row, (a, b), ("real", "made"), strict=False):
            image = plots.draw_map(ax, picture, length_ms, bands, LIMITS_DB, "mel band")
            ax.set_title(f"{label}, {title}")
        difference = plots.draw_map(row[2], b - a, length_ms, bands, DIFFERENCE_DB, "mel band", "RdBu_r")
        row[2].set_title("made − real")
        for ax in row:
            ax.label_outer()
    below = {"location": "bottom", "aspect": 30, "pad": 0.01, "shrink": 0.9}
    part.colorbar(image, ax=axes[:, :2], label="mean level (dB)", **below)
    part.colorbar(difference, ax=axes[:, 2:], label="difference (dB)", **below)


def _targets(ax, measures: list) -> None:
    measures = measures[::-1]  # the first on top
    widths = [min(max(m.used, 1.2 * SHOWN[0]), SHOWN[1]) - SHOWN[0] for m in measures]
    colors = [plots.PALETTE[0] if m.met else plots.PALETTE[1] for m in measures]
    bars = ax.barh(range(len(measures)), widths, left=SHOWN[0], color=colors, height=0.7)
    for bar, m in zip(bars, measures, strict=True):
        if not m.met:  # not by colour alone
            bar.set(hatch="//", edgecolor="white")
    ax.axvline(1, color="#222222", linewidth=1.2)
    names = [f"{m.measure.replace('_', ' ')}{' ' + m.label if m.label else ''}" for m in measures]
    ax.set_yticks(range(len(measures)), names, fontsize=8.5)
    ax.set(xscale="log", xlim=SHOWN, xlabel="share of what the target allows (up to 1: met)")
    ax.set_xticks((0.1, 1, 10, 100), ("0.1", "1", "10", "100 or more"))
    ax.set_title(f"{sum(m.met for m in measures)} of {len(measures)} targets are met")
    ax.grid(False, axis="y")
