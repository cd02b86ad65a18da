"""Put a model's sounds beside real ones and measure (lesson 09): `tad-course evaluate --model drums --out FOLDER`.

Three sets of real drums that the model never heard, or did: `real` to compare with; `other`, which shows how far one
real set lies from another (the floor); `training`, to see whether the model copies. Every measure has the value of
the made sounds, that of real ones, and most have a target.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from tad_course.drums.voices import LABELS
from tad_course.evaluation.extract import Heard, listen, made_chunks, mel_statistics, real_chunks
from tad_course.evaluation.metrics import (
    density_coverage,
    frechet_distance,
    kernel_distance,
    nearest_distance,
    precision_recall,
    spectral_distance_db,
)
from tad_course.evaluation.scorecard import scorecard
from tad_course.generate import Model, Settings, fingerprint
from tad_course.model.checkpoint import replacing

REAL_SEED = 3_000_000  # held-out drums; models are trained on seeds from 0, the classifier on those from 2,000,000
TRAINING_SEED = 0
TRAINING_PER_LABEL = 2000  # as many as `tad-course train` renders by default
WITHIN_DB = 3.0
DISTANCE = 2.0  # times the distance between two real sets
AGREEMENT = 0.97
REACH = 0.8  # of what held-out real sounds reach
CHANCE = 0.95  # two real sets of a thousand lie so near each other in their nearest-neighbour distances


@dataclass(frozen=True)
class Measure:
    """One figure: of the made sounds, of real ones, and how much of what its target allows is used up."""

    measure: str
    made: float
    real: float
    label: str = ""
    target: str = ""
    used: float | None = None  # 1 or less: the target is met

    @property
    def met(self) -> bool | None:
        return None if self.used is None else self.used <= 1


@dataclass(frozen=True)
class RealSets:
    """What made sounds are compared with."""

    labels: tuple[str, ...]
    real: Heard
    other: Heard
    training: Tensor  # log-mel statistics [M, 256]


def real_sets(labels: tuple[str, ...], per_label: int, training_per_label: int = TRAINING_PER_LABEL) -> RealSets:
    """Render and listen to `per_label` held-out drums of each label, twice, and to the training sounds."""
    count = per_label * len(labels)
    real = listen(real_chunks(labels, per_label, REAL_SEED), count, "Real, held out")
    other = listen(real_chunks(labels, per_label, REAL_SEED + per_label), count, "Real, others")
    chunks = real_chunks(labels, training_per_label, TRAINING_SEED)
    training = mel_statistics(chunks, training_per_label * len(labels), "Real, for training")
    return RealSets(labels, real, other, training)


def measures(made: Heard, sets: RealSets) -> list[Measure]:
    """Return every measure of made sounds beside that of real ones."""
    found = _distances(made, sets) + _reach(made, sets) + _copies(made, sets) + _agreement(made, sets)
    for label in sets.labels:
        found += _by_label(made, sets, label)
    return found


def _distances(made: Heard, sets: RealSets) -> list[Measure]:
    found = []
    for space in ("mel", "embedding"):
        mine, real, other = (getattr(heard, space) for heard in (made, sets.real, sets.other))
        found.append(_near(f"frechet_{space}", frechet_distance(mine, real), frechet_distance(other, real)))
        distances = (kernel_distance(x, real, unbiased=False) for x in (mine, other))
        found.append(_near(f"kernel_{space}", *distances))
    return found


def _near(name: str, made: float, floor: float) -> Measure:
    return Measure(name, made, floor, target=f"≤ {DISTANCE:g} × real", used=made / max(DISTANCE * floor, 1e-12))


def _reach(made: Heard, sets: RealSets) -> list[Measure]:
    """Precision and density say whether made sounds are real ones' like; recall and coverage whether all are met."""
    names = ("precision", "recall", "density", "coverage")
    mine, real = (
        (*precision_recall(sets.real.mel, x.mel), *density_coverage(sets.real.mel, x.mel)) for x in (made, sets.other)
    )
    return [
        Measure(name, a, b, target=f"≥ {REACH:g} × real", used=REACH * b / max(a, 1e-12))
        for name, a, b in zip(names, mine, real, strict=True)
    ]


def _copies(made: Heard, sets: RealSets) -> list[Measure]:
    """How near the next training sound is: a model that copies comes nearer than new real sounds do."""
    mine, real = (nearest_distance(x.mel, sets.training) for x in (made, sets.other))
    found = []
    for name, q in (("nearest_training_median", 0.5), ("nearest_training_5_percent", 0.05)):
        a, b = float(mine.quantile(q)), float(real.quantile(q))
        found.append(Measure(name, a, b, target=f"≥ {CHANCE:g} × real", used=CHANCE * b / max(a, 1e-12)))
    return found


def _agreement(made: Heard, sets: RealSets, label: int | None = None) -> list[Measure]:
    if not made.labelled:
        return []  # nothing was asked for
    name = "" if label is None else LABELS[label]

    def share(heard: Heard) -> float:
        chosen = torch.ones_like(heard.labels, dtype=bool) if label is None else heard.labels == label
        return float((heard.guess == heard.labels)[chosen].float().mean())

    mine = share(made)
    used = (1 - mine) / (1 - AGREEMENT)
    return [Measure("class_agreement", mine, share(sets.real), name, f"≥ {AGREEMENT:.0%}", used)]


def _by_label(made: Heard, sets: RealSets, label: str) -> list[Measure]:
    index = LABELS.index(label)
    mine, theirs = made.labels == index, sets.real.labels == index
    if not mine.any():  # an unconditional model need not play every instrument
        return []
    found = _agreement(made, sets, index)
    for name in ("hiss_dbfs", "tail_dbfs", "attack_ms"):
        a, b = float(getattr(made, name)[mine].median()), float(getattr(sets.real, name)[theirs].median())
        level = name != "attack_ms"
        target, used = (f"within {WITHIN_DB:g} dB", abs(a - b) / WITHIN_DB) if level else ("", None)
        found.append(Measure(name, a, b, label, target, used))
    pictures = (spectral_distance_db(x.pictures[index], sets.real.pictures[index]) for x in (made, sets.other))
    return [*found, Measure("spectral_distance_db", *pictures, label)]


@dataclass(frozen=True)
class Report:
    """An evaluation: the measures, how they came about, and what was heard."""

    measures: list[Measure]
    settings: dict
    made: Heard
    sets: RealSets

    def to_dict(self) -> dict:
        rows = [{k: v for k, v in asdict(m).items() if v != ""} | {"met": m.met} for m in self.measures]
        return {"settings": self.settings, "measures": rows}


def evaluate(
    model: Model,
    settings: Settings,
    per_label: int = 250,
    training_per_label: int = TRAINING_PER_LABEL,
    chunk: int = 8,
) -> Report:
    """Render, generate, listen, measure.

    Args:
        model: to be judged; an unconditional one is judged by what the classifier hears in its sounds.
        settings: of the sounds, all but the labels; their seeds count up from its seed.
        per_label: how many sounds of each label, made and real.
        training_per_label: how many training sounds of each label made ones are compared with.
        chunk: how many sounds are made together.

    Raises:
        ValueError: if the model's labels are not the drum machine's, or there are too few sounds.
    """
    labels = check_labels(model)
    if per_label < 8:
        raise ValueError(f"These measures look at 5 neighbours of a sound: make at least 8 a label, not {per_label}.")
    sets = real_sets(labels, per_label, training_per_label)
    total = per_label * len(model.config.labels or LABELS)
    made = listen(made_chunks(model, settings, per_label, chunk), total, "Made")
    how = settings_of(settings, model) | {"per_label": per_label, "training_per_label": training_per_label}
    return Report(measures(made, sets), how, made, sets)


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
    lines = ["| measure | label | made | real | target | met |", "|---|---|---:|---:|---|---|"]
    for row in figures["measures"]:
        met = {True: "yes", False: "**no**", None: ""}[row["met"]]
        cells = (row["measure"], row.get("label", ""), number(row["made"]), number(row["real"]))
        lines.append(f"| {' | '.join(cells)} | {row.get('target', '')} | {met} |")
    return "\n".join(lines)


def number(value: float) -> str:
    """Return a figure with three digits that count, never in powers of ten."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def summary(figures: dict) -> str:
    """Return how many targets are met, in one sentence."""
    judged = [row["met"] for row in figures["measures"] if row["met"] is not None]
    return f"{sum(judged)} of {len(judged)} targets are met."


def save_report(report: Report, folder: Path) -> Path:
    """Write `figures.json`, `figures.md` and `figures.png` into `folder`, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = report.to_dict()
    texts = {"figures.json": json.dumps(figures, indent=2), "figures.md": f"{table(figures)}\n\n{summary(figures)}"}
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    with replacing(folder / "figures.png") as temporary:
        scorecard(report.measures, report.made, report.sets.real, report.sets.labels).savefig(
            temporary, dpi=100, format="png"
        )
    return folder
