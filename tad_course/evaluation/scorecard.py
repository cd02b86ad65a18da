"""The picture of an evaluation: made and real sounds on average, and where they differ (lesson 09)."""

from matplotlib.figure import Figure

from tad_course.config import LENGTH_SAMPLES, SAMPLE_RATE
from tad_course.display import plots
from tad_course.drums import LABELS
from tad_course.evaluation.extract import Features

LIMITS_DB = (-80.0, 0.0)
DIFFERENCE_DB = (-20.0, 20.0)


def scorecard(made: Features, real: Features, labels: tuple[str, ...]) -> Figure:
    """Return a figure: for each label the mean log-mel spectrograms of real and made sounds, and their difference."""
    fig = Figure(figsize=(10, max(4.5, 0.6 + 2.1 * len(labels))), layout="constrained", dpi=100)
    axes = fig.subplots(len(labels), 3, sharex=True, sharey=True, squeeze=False)
    length_ms = LENGTH_SAMPLES / SAMPLE_RATE * 1000
    for row, label in zip(axes, labels, strict=True):
        a, b = (features.pictures[LABELS.index(label)] for features in (real, made))
        bands = a.shape[0]
        for ax, picture, title in zip(row, (a, b), ("real", "made"), strict=False):
            image = plots.draw_map(ax, picture, length_ms, bands, LIMITS_DB, "mel band")
            ax.set_title(f"{label}, {title}")
        difference = plots.draw_map(row[2], b - a, length_ms, bands, DIFFERENCE_DB, "mel band", "RdBu_r")
        row[2].set_title("made − real")
        for ax in row:
            ax.label_outer()
    below = {"location": "bottom", "aspect": 30, "pad": 0.01, "shrink": 0.9}
    fig.colorbar(image, ax=axes[:, :2], label="mean level (dB)", **below)
    fig.colorbar(difference, ax=axes[:, 2:], label="difference (dB)", **below)
    return fig
