"""Put a model's sounds beside real ones and measure (lesson 09): `tad-course evaluate --model drums --out FOLDER`.

Sets of real drums: `real` to compare with; `others`, which show how far one real set lies from another (the floor, and
how much of it is chance); `training`, to see whether the model copies. Every figure of the model stands beside the same
figure with its network disabled, and of drums made without a network: what these reach too, the network is not
needed for.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from tad_course.audio import SUFFIXES, find_sound_files, load_audio
from tad_course.drums import LABELS, VOICES, Drum, render
from tad_course.evaluation.baseline import baseline_chunks
from tad_course.evaluation.denoising import denoising_errors_db, label_batch, restyle_errors_db, wiener
from tad_course.evaluation.extract import (
    NAMES,
    Features,
    extract_features,
    made_chunks,
    mel_statistics,
    model_families,
    real_chunks,
)
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
TRAINING_PER_LABEL = 4000  # as many as `tad-course train` renders by default: the whole training set
OTHERS = 3  # further real sets
TESTED = 24  # real sounds a family that noise is taken out of, and that are restyled
FEWEST = 8  # sounds that a figure of one voice needs

Figures = dict[tuple[str, str], float]  # (measure, family or voice) -> value


@dataclass(frozen=True)
class Measure:
    """One figure: of the made sounds, of other real ones, and what is reached without the network."""

    measure: str
    label: str
    made: float
    real: float | None = None  # the mean of several sets of other real sounds
    real_low: float | None = None  # the lowest of them
    real_high: float | None = None
    disabled: float | None = None  # the same model with its network's output replaced by zeros
    baseline: float | None = None  # without a network: `LoudnessBaseline`; to take out noise, a Wiener filter


@dataclass(frozen=True)
class RealSets:
    """What made sounds are compared with."""

    labels: tuple[str, ...]
    real: Features
    others: list[Features]
    training: Tensor  # log-mel statistics [M, 256]

    @cached_property
    def floor(self) -> list[Figures]:
        """The figures of the other real sets, calculated once however many models are compared."""
        return [figures(each, self) for each in self.others]


def real_sets(
    labels: tuple[str, ...], per_label: int, training_per_label: int = TRAINING_PER_LABEL, searched: Path | None = None
) -> RealSets:
    """Render sets of `per_label` held-out drums of each family, and the training sounds, and extract their features.

    `searched` is a folder of further training sounds, recorded ones for instance, in which copies are looked for.
    """
    paths = [] if searched is None else find_sound_files(Path(searched))
    if searched is not None and not paths:
        raise ValueError(f"{searched}: no sound files ({', '.join(SUFFIXES)}) in it or below it.")
    count = per_label * len(labels)
    starts = [REAL_SEED + per_label * index for index in range(1 + OTHERS)]
    real, *others = (extract_features(real_chunks(labels, per_label, start), count, "Real") for start in starts)
    chunks = real_chunks(labels, training_per_label, TRAINING_SEED)
    training = mel_statistics(chunks, training_per_label * len(labels), "Real, for training")
    if paths:
        files = ((load_audio(path)[None], None) for path in paths)
        training = torch.cat([training, mel_statistics(files, len(paths), "Further training sounds")])
    return RealSets(labels, real, others, training)


def figures(features: Features, sets: RealSets) -> Figures:
    """Return every figure of a set of sounds, made or real."""
    found = {}
    for space in ("mel", "embedding"):
        mine, real = getattr(features, space), getattr(sets.real, space)
        found[f"frechet_{space}", ""] = frechet_distance(mine, real)
        found[f"kernel_{space}", ""] = kernel_distance(mine, real, unbiased=False)
    # precision and density: are the sounds like real ones? recall and coverage: is each real one met?
    names = ("precision", "recall", "density", "coverage")
    values = (*precision_recall(sets.real.mel, features.mel), *density_coverage(sets.real.mel, features.mel))
    found |= {(name, ""): value for name, value in zip(names, values, strict=True)}
    nearest = nearest_distance(features.mel, sets.training)  # a model that copies comes nearer than new real sounds
    found["nearest_training_median", ""] = float(nearest.median())
    found["nearest_training_5_percent", ""] = float(nearest.quantile(0.05))
    if features.labelled:
        found["class_agreement", ""] = _share(features.guess == features.families)
    for name in NAMES:
        chosen = features.are(name)
        if chosen.sum() >= FEWEST and sets.real.are(name).sum() >= FEWEST:
            found |= {(measure, name): value for measure, value in _of_one(features, sets, name, chosen).items()}
    return found


def _of_one(features: Features, sets: RealSets, name: str, chosen: Tensor) -> dict[str, float]:
    """Return the figures of the sounds of one family or voice."""
    found = {"class_agreement": _share((features.guess == features.families)[chosen])} if features.labelled else {}
    found["double_hits"] = _share(features.double_hit[chosen])
    for measure in ("tone_share", "hiss_dbfs", "tail_dbfs", "attack_ms"):
        found[measure] = float(getattr(features, measure)[chosen].median())
    if name == "kick":
        found["warble_db"] = float(features.warble_db[chosen].median())
    for measure in ("length_ms", "brightness_octaves"):  # how different the sounds are, 1 as different as real ones
        mine, real = getattr(features, measure)[chosen], getattr(sets.real, measure)[sets.real.are(name)]
        found[f"spread_of_{measure.rsplit('_', 1)[0]}"] = float(mine.std() / real.std())
    if name in LABELS:
        pictures = (each.pictures[LABELS.index(name)] for each in (features, sets.real))
        found["spectral_distance_db"] = spectral_distance_db(*pictures)
    return found


def _share(those: Tensor) -> float:
    return float(those.float().mean())


def measures(
    made: Features, sets: RealSets, disabled: Features | None = None, baseline: Features | None = None
) -> list[Measure]:
    """Return every measure of made sounds beside that of real ones, and of the other two sets where they are given."""
    beside = [figures(each, sets) if each else {} for each in (disabled, baseline)]
    found = []
    for (measure, label), value in figures(made, sets).items():
        real = [each[measure, label] for each in sets.floor if (measure, label) in each]
        floor = (sum(real) / len(real), min(real), max(real)) if real else (None, None, None)
        found.append(Measure(measure, label, value, *floor, *(each.get((measure, label)) for each in beside)))
    return found


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
    searched: Path | None = None,
) -> Report:
    """Render, generate, extract, measure; then once more with the network disabled, and without any.

    Args:
        model: to be judged; an unconditional one is judged by what the classifier takes its sounds for.
        settings: of the sounds, all but the labels; their seeds count up from its seed.
        per_label: how many sounds of each label, made and real.
        training_per_label: how many training sounds of each label made ones are compared with.
        chunk: how many sounds are made together.
        searched: a folder of further training sounds, in which copies are looked for too.

    Raises:
        ValueError: if the model's labels are not the drum machine's, or there are too few sounds.
    """
    labels = check_labels(model)
    if per_label < FEWEST:
        raise ValueError(f"These measures use 5 neighbors of a sound: make at least 8 a label, not {per_label}.")
    sets = real_sets(labels, per_label, training_per_label, searched)
    total = per_label * len(model_families(model) or LABELS)
    made = extract_features(made_chunks(model, settings, per_label, chunk), total, "Made")
    with disabled_network(model):
        disabled = extract_features(made_chunks(model, settings, per_label, chunk), total, "Network disabled")
    baseline = extract_features(baseline_chunks(labels, per_label), per_label * len(labels), "Without a network")
    found = measures(made, sets, disabled, baseline) + tasks(model, settings, min(per_label, TESTED))
    how = settings_of(settings, model) | {"per_label": per_label, "training_sounds": len(sets.training)}
    return Report(found, how, made, sets)


@contextmanager
def disabled_network(model: Model) -> Iterator[None]:
    """Let the model's network output zeros meanwhile."""
    model.enabled = False
    try:
        yield
    finally:
        model.enabled = True


def tasks(model: Model, settings: Settings, per_label: int) -> list[Measure]:
    """Return how well noise is taken out of real sounds, and how near a restyled sound stays to itself."""
    found = []
    for label in model_families(model):
        drums = [render(label, REAL_SEED + index) for index in range(per_label)]
        sounds, names = torch.stack([drum.audio for drum in drums]), [_label_for(model, drum) for drum in drums]
        denoise, pairs = model.denoiser(label_batch(model, settings, names)), list(zip(sounds, names, strict=True))
        denoised, restyled = denoising_errors_db(model, sounds, denoise), restyle_errors_db(model, settings, pairs)
        with disabled_network(model):
            plain, untouched = denoising_errors_db(model, sounds, denoise), restyle_errors_db(model, settings, pairs)
        lapped = model.config.transform == "lapped"  # the filter averages over neighboring bands
        without = denoising_errors_db(model, sounds, wiener) if lapped else {}
        for snr, error in denoised.items():
            beside = {"disabled": plain[snr], "baseline": without.get(snr)}
            found.append(Measure(f"denoising_error_db at {snr} dB", label, error, **beside))
        for strength, error in restyled.items():
            found.append(Measure(f"restyle_error_db at {strength:g}", label, error, disabled=untouched[strength]))
    return found


def _label_for(model: Model, drum: Drum) -> str:
    """Return the label of the model that a drum of the drum machine belongs to: its voice, or else its family."""
    return drum.voice if drum.voice in model.config.labels else drum.label


def check_labels(model: Model) -> tuple[str, ...]:
    """Return the families that a model can be judged by.

    Raises:
        ValueError: if the drum machine does not play one of its labels.
    """
    if unknown := [label for label in model.config.labels if label not in (*LABELS, *VOICES)]:
        raise ValueError(
            f"The model {model.config.name!r} plays {', '.join(unknown)}, and there are no real sounds of that to "
            f"compare with; only {', '.join(dict.fromkeys((*LABELS, *VOICES)))} can be judged."
        )
    return model_families(model) or LABELS


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
        cells = [row["measure"], row.get("label", ""), *("" if value is None else number(value) for value in values)]
        low, high = (number(row[name]) if name in row else "" for name in ("real_low", "real_high"))
        cells[-1] += f" ({low} to {high})" if low != high else ""
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
