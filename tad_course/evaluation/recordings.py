"""Recorded drums as the judge: kits that neither the model nor the drum machine has heard (lesson 09).

`tad-course evaluate --recordings FOLDER` puts the sounds of a folder, named by what they are, beside as many of the
model, of the model with its network disabled and of the baseline without one; and restyles them. The figures of the
drum machine, whose sounds the models have learned from, stand in rows of their own.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm

from tad_course.drums import LABELS, family, render
from tad_course.drums.recorded import aligned, recordings
from tad_course.edit import restyle
from tad_course.evaluation.baseline import LoudnessBaseline
from tad_course.evaluation.denoising import restyle_errors_db
from tad_course.evaluation.embeddings import LogMelStatistics
from tad_course.evaluation.extract import made_jobs, model_families
from tad_course.evaluation.metrics import double_hit, frechet_distance, kernel_distance, precision_recall, tail_dbfs
from tad_course.evaluation.report import REAL_SEED, Measure, disabled_network
from tad_course.generate import Model, Settings, generate_together

MOST, FEWEST = 96, 16  # recordings of each family
RESTYLED = 25  # of them
FITTED_TO = 400  # drums of the machine for the baseline
NOISE_DBFS, NOISE_STRENGTH = -60.0, 0.1
QUIET_DBFS = -80.0  # recordings whose own tail is at most so loud show what becomes of noise
NEIGHBOURS = 5


def load_recordings(folder: Path, wanted: tuple[str, ...] = LABELS, most: int = MOST) -> dict[str, Tensor]:
    """Return `[n, 2, N]` aligned recordings of each family that the folder has enough of.

    Raises:
        ValueError: if there are too few of every one, or of all families that are `wanted`.
    """
    found = {label: [] for label in LABELS}
    for each in tqdm(recordings(folder), desc="Recordings", unit="sound", leave=False):
        found[family(each.label)].append(aligned(each.audio))
    if not any(len(sounds) >= FEWEST for sounds in found.values()):
        raise ValueError(f"{folder}: fewer than {FEWEST} recordings of each instrument; give a folder with more.")
    chosen = {}
    for label, sounds in found.items():
        order = torch.randperm(len(sounds), generator=torch.Generator().manual_seed(0))[:most].tolist()
        if len(order) >= FEWEST:
            chosen[label] = torch.stack([sounds[i] for i in order])
    if not set(wanted) & set(chosen):
        raise ValueError(f"{folder} has too few recordings of {' or '.join(wanted) or 'a model without labels'}.")
    return chosen


@torch.no_grad()
def judged_by_recordings(model: Model, settings: Settings, found: dict[str, Tensor]) -> list[Measure]:
    """Return the measures of a model's sounds against recordings `[n, 2, N]` of some families."""
    features = LogMelStatistics()
    labels = [label for label in model_families(model) if label in found]
    real = {label: features(sounds) for label, sounds in found.items()}
    rows = []
    for label in tqdm(labels, desc="Against recordings", unit="label", leave=False):
        count = len(found[label])
        jobs = dict(zip(model_families(model), made_jobs(model, settings, count), strict=True))
        made = _made(model, jobs[label])
        with disabled_network(model):
            disabled = _made(model, jobs[label])
        drums = torch.stack([render(label, seed).audio for seed in range(FITTED_TO)])
        machine = torch.stack([render(label, REAL_SEED + seed).audio for seed in range(count)])
        sets = {"model": made, "disabled": disabled, "baseline": LoudnessBaseline(drums)(count, 0), "machine": machine}
        mine = {name: features(torch.stack([aligned(sound) for sound in sounds])) for name, sounds in sets.items()}
        mine["real"] = real[label]
        rows += _distances(mine, real[label], label)
        rows += _row("recordings: agreement of neighbors", label, mine, lambda x, at=label: _agreement(x, at, real))
        sounds = {**sets, "real": found[label]}
        rows += _row("recordings: double_hits", label, sounds, lambda x: float(double_hit(x).float().mean()))
        if label in model.config.labels:  # which voice of a family a recording is, is not known
            rows += _restyled(model, settings, found[label][:RESTYLED], label)
    return rows


def _made(model: Model, job: list[Settings]) -> Tensor:
    return torch.cat([generate_together(model, job[i : i + 8]) for i in range(0, len(job), 8)])


def _distances(mine: dict[str, Tensor], real: Tensor, label: str) -> list[Measure]:
    others = {name: x for name, x in mine.items() if name != "real"}
    rows = _row("recordings: frechet_mel", label, others, lambda x: frechet_distance(x, real))
    rows += _row("recordings: kernel_mel", label, others, lambda x: kernel_distance(x, real, unbiased=False))
    rows += _row("recordings: precision", label, others, lambda x: precision_recall(real, x)[0])
    rows += _row("recordings: recall", label, others, lambda x: precision_recall(real, x)[1])
    half = frechet_distance(real[::2], real[1::2])  # of half as many sounds, so a little too high
    return [replace(rows[0], real=half), *rows[1:]]


def _row(measure: str, label: str, sets: dict[str, Tensor], of: Callable[[Tensor], float]) -> list[Measure]:
    """Return a measure of the model and, in a row of its own, of the drum machine."""
    value = {name: of(x) for name, x in sets.items()}
    first = Measure(
        measure, label, value["model"], value.get("real"), disabled=value["disabled"], baseline=value["baseline"]
    )
    return [first, Measure(f"{measure}, drum machine", label, value["machine"])]


def _agreement(x: Tensor, label: str, real: dict[str, Tensor]) -> float:
    """Return the share of sounds whose five nearest recordings are mostly of their own family."""
    everything, names = torch.cat(list(real.values())), [name for name, rows in real.items() for _ in rows]
    own = torch.tensor([name == label for name in names])
    distance = torch.cdist(x, everything)
    distance[distance < 1e-4] = torch.inf  # a recording is not its own neighbor
    return float((own[distance.topk(NEIGHBOURS, largest=False).indices].sum(1) > NEIGHBOURS / 2).float().mean())


def _restyled(model: Model, settings: Settings, sounds: Tensor, label: str) -> list[Measure]:
    """Return how near restyled recordings stay to themselves, and what becomes of recording noise."""
    pairs = [(sound, label) for sound in sounds]
    errors = restyle_errors_db(model, settings, pairs)
    with disabled_network(model):
        untouched = restyle_errors_db(model, settings, pairs)
    rows = [
        Measure(f"recordings: restyle_error_db at {strength:g}", label, error, disabled=untouched[strength])
        for strength, error in errors.items()
    ]
    quiet = sounds[tail_dbfs(sounds) < QUIET_DBFS]
    if len(quiet):
        noise = 10 ** (NOISE_DBFS / 20) * torch.randn(quiet.shape, generator=torch.Generator().manual_seed(0))
        how = replace(settings, label=label)
        tails = torch.stack([restyle(model, sound, how, NOISE_STRENGTH) for sound in quiet + noise])
        rows.append(Measure("recordings: tail_dbfs of noise at -60, restyled", label, float(tail_dbfs(tails).median())))
    return rows
