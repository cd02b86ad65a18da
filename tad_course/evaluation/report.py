"""Put a model's sounds beside real ones and measure (lesson 09): `tad-course evaluate --model drums --out FOLDER`.

Three sets of real drums: `real` to compare with; `other`, which shows how far one real set lies from another (the
floor); `training`, to see whether the model copies. Every figure of the model stands beside the same figure with its
network disabled, and of drums made without a network: what these reach too, the network is not needed for.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from tad_course.drums import LABELS
from tad_course.evaluation.baseline import baseline_chunks
from tad_course.evaluation.extract import Features, extract_features, made_chunks, mel_statistics, real_chunks
from tad_course.evaluation.metrics import (
    density_coverage,
    frechet_distance,
    kernel_distance,
    nearest_distance,
    precision_recall,
    spectral_distance_db,
)
from tad_course.evaluation.scorecard import scorecard
from tad_course.files import replacing
from tad_course.generate import Model, Settings, fingerprint

REAL_SEED = 3_000_000  # held-out drums; models are trained on seeds from 0, the classifier on those from 2,000,000
TRAINING_SEED = 0
TRAINING_PER_LABEL = 2000  # as many as `tad-course train` renders by default: the whole training set


@dataclass(frozen=True)
class Measure:
    """One figure: of the made sounds, of real ones, and what is reached without the network."""

    measure: str
    made: float
    real: float
    label: str = ""
    disabled: float | None = None  # the same model with its network's output replaced by zeros
    baseline: float | None = None  # `baseline.LoudnessBaseline`


@dataclass(frozen=True)
class RealSets:
    """What made sounds are compared with."""

    labels: tuple[str, ...]
    real: Features
    other: Features
    training: Tensor  # log-mel statistics [M, 256]


def real_sets(labels: tuple[str, ...], per_label: int, training_per_label: int = TRAINING_PER_LABEL) -> RealSets:
    """Render `per_label` held-out drums of each label, twice, and the training sounds, and extract their features."""
    count = per_label * len(labels)
    real = extract_features(real_chunks(labels, per_label, REAL_SEED), count, "Real, held out")
    other = extract_features(real_chunks(labels, per_label, REAL_SEED + per_label), count, "Real, others")
    chunks = real_chunks(labels, training_per_label, TRAINING_SEED)
    training = mel_statistics(chunks, training_per_label * len(labels), "Real, for training")
    return RealSets(labels, real, other, training)


def measures(made: Features, sets: RealSets) -> list[Measure]:
    """Return every measure of made sounds beside that of real ones."""
    found = _distances(made, sets) + _reach(made, sets) + _copies(made, sets) + _agreement(made, sets)
    for label in sets.labels:
        found += _by_label(made, sets, label)
    return found


def _distances(made: Features, sets: RealSets) -> list[Measure]:
    found = []
    for space in ("mel", "embedding"):
        mine, real, other = (getattr(features, space) for features in (made, sets.real, sets.other))
        found.append(Measure(f"frechet_{space}", frechet_distance(mine, real), frechet_distance(other, real)))
        distances = (kernel_distance(x, real, unbiased=False) for x in (mine, other))
        found.append(Measure(f"kernel_{space}", *distances))
    return found


def _reach(made: Features, sets: RealSets) -> list[Measure]:
    """Precision and density say whether made sounds are like real ones; recall and coverage whether all are met."""
    names = ("precision", "recall", "density", "coverage")
    mine, real = (
        (*precision_recall(sets.real.mel, x.mel), *density_coverage(sets.real.mel, x.mel)) for x in (made, sets.other)
    )
    return [Measure(name, a, b) for name, a, b in zip(names, mine, real, strict=True)]


def _copies(made: Features, sets: RealSets) -> list[Measure]:
    """How near the next training sound is: a model that copies comes nearer than new real sounds do."""
    mine, real = (nearest_distance(x.mel, sets.training) for x in (made, sets.other))
    quantiles = (("nearest_training_median", 0.5), ("nearest_training_5_percent", 0.05))
    return [Measure(name, float(mine.quantile(q)), float(real.quantile(q))) for name, q in quantiles]


def _agreement(made: Features, sets: RealSets, label: int | None = None) -> list[Measure]:
    if not made.labelled:
        return []  # no label was asked for
    name = "" if label is None else LABELS[label]

    def share(features: Features) -> float:
        chosen = torch.ones_like(features.labels, dtype=bool) if label is None else features.labels == label
        return float((features.guess == features.labels)[chosen].float().mean())

    return [Measure("class_agreement", share(made), share(sets.real), name)]


def _by_label(made: Features, sets: RealSets, label: str) -> list[Measure]:
    index = LABELS.index(label)
    mine, theirs = made.labels == index, sets.real.labels == index
    if not mine.any():  # an unconditional model need not play every instrument
        return []
    found = _agreement(made, sets, index)
    for name in ("hiss_dbfs", "tail_dbfs", "attack_ms"):
        a, b = float(getattr(made, name)[mine].median()), float(getattr(sets.real, name)[theirs].median())
        found.append(Measure(name, a, b, label))
    pictures = (spectral_distance_db(x.pictures[index], sets.real.pictures[index]) for x in (made, sets.other))
    return [*found, Measure("spectral_distance_db", *pictures, label)]


@dataclass(frozen=True)
class Report:
    """An evaluation: the measures, how they came about, and the features of both sets."""

    measures: list[Measure]
    settings: dict
    made: Features
    sets: RealSets

    def to_dict(self) -> dict:
        rows = [{k: v for k, v in asdict(m).items() if v not in ("", None)} for m in self.measures]
        return {"settings": self.settings, "measures": rows}


def evaluate(
    model: Model,
    settings: Settings,
    per_label: int = 250,
    training_per_label: int = TRAINING_PER_LABEL,
    chunk: int = 8,
) -> Report:
    """Render, generate, extract, measure; then once more with the network disabled, and without any.

    Args:
        model: to be judged; an unconditional one is judged by what the classifier takes its sounds for.
        settings: of the sounds, all but the labels; their seeds count up from its seed.
        per_label: how many sounds of each label, made and real.
        training_per_label: how many training sounds of each label made ones are compared with.
        chunk: how many sounds are made together.

    Raises:
        ValueError: if the model's labels are not the drum machine's, or there are too few sounds.
    """
    labels = check_labels(model)
    if per_label < 8:
        raise ValueError(f"These measures use 5 neighbours of a sound: make at least 8 a label, not {per_label}.")
    sets = real_sets(labels, per_label, training_per_label)
    total = per_label * len(model.config.labels or LABELS)
    made = extract_features(made_chunks(model, settings, per_label, chunk), total, "Made")
    model.enabled = False
    try:
        disabled = extract_features(made_chunks(model, settings, per_label, chunk), total, "Network disabled")
    finally:
        model.enabled = True
    baseline = extract_features(baseline_chunks(labels, per_label), per_label * len(labels), "Without a network")
    found = _beside(measures(made, sets), measures(disabled, sets), measures(baseline, sets))
    how = settings_of(settings, model) | {"per_label": per_label, "training_per_label": training_per_label}
    return Report(found, how, made, sets)


def _beside(made: list[Measure], disabled: list[Measure], baseline: list[Measure]) -> list[Measure]:
    values = [{(m.measure, m.label): m.made for m in found} for found in (disabled, baseline)]
    keys = [(m.measure, m.label) for m in made]
    return [
        replace(m, disabled=values[0].get(key), baseline=values[1].get(key))
        for m, key in zip(made, keys, strict=True)
    ]


def check_labels(model: Model) -> tuple[str, ...]:
    """Return the labels a model can be judged by.

    Raises:
        ValueError: if the drum machine does not play one of them.
    """
    if unknown := [label for label in model.config.labels if label not in LABELS]:
        raise ValueError(
            f"The model {model.config.name!r} plays {', '.join(unknown)}, and there are no real sounds of that to "
            f"compare with; only {', '.join(LABELS)} can be judged."
        )
    return model.config.labels or LABELS


def settings_of(settings: Settings, model: Model) -> dict:
    """Return what a reader of the figures needs to know of how the sounds were made."""
    names = ("model", "seed", "num_steps", "sampler", "guidance_scale")
    return {name: getattr(settings, name) for name in names} | {"fingerprint": fingerprint(model)}


def table(figures: dict) -> str:
    """Return the figures of `Report.to_dict` as a Markdown table."""
    lines = [
        "| measure | label | model | its network disabled | no network (baseline) | other real ones |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for row in figures["measures"]:
        values = (row.get(name) for name in ("made", "disabled", "baseline", "real"))
        cells = (row["measure"], row.get("label", ""), *("" if value is None else number(value) for value in values))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def number(value: float) -> str:
    """Return a figure with three digits that count, never in powers of ten."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def save_report(report: Report, folder: Path) -> Path:
    """Write `figures.json`, `figures.md` and `figures.png` into `folder`, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = report.to_dict()
    texts = {"figures.json": json.dumps(figures, indent=2), "figures.md": table(figures)}
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    with replacing(folder / "figures.png") as temporary:
        scorecard(report.made, report.sets.real, report.sets.labels).savefig(temporary, dpi=100, format="png")
    return folder
