"""Recorded drums as the judge: python benchmarks/recordings.py FOLDER

Sounds of a folder whose names say kick, snare or hi-hat, against as many of the model, of the baseline without a
network and of the drum machine that both have learned from. All begin at their onset and peak at -3 dBFS. Debian's
package `hydrogen-drumkits`, unpacked anywhere, is such a folder; its sounds stay outside the project.
"""

import argparse
import re
from pathlib import Path

import torch
from torch import Tensor

from tad_course.audio import SUFFIXES, AudioFileError, load_audio
from tad_course.drums import render
from tad_course.evaluation.baseline import LoudnessBaseline
from tad_course.evaluation.embeddings import LogMelStatistics
from tad_course.evaluation.metrics import frechet_distance, kernel_distance, precision_recall
from tad_course.evaluation.report import REAL_SEED
from tad_course.generate import Settings, generate_together
from tad_course.model.checkpoint import load_model

NAMES = {
    "kick": r"kick|bass.?drum|bdrum|(^|[^a-z])bd",
    "snare": r"snare|(^|[^a-z])s[dn]",
    "hihat": r"hat|closed|open|(^|[^a-z])hh",
}
SILENT_PEAK = 1e-3


def aligned(audio: Tensor) -> Tensor:
    """Return a sound `[2, N]` from its onset on (-40 dB below its peak), with a peak of -3 dBFS."""
    envelope = audio.abs().amax(0)
    onset = int((envelope > 0.01 * envelope.max()).float().argmax())
    audio = torch.nn.functional.pad(audio[:, onset:], (0, onset))
    return audio * 10 ** (-3 / 20) / audio.abs().max()


def recordings(folder: Path) -> dict[str, list[Tensor]]:
    """Return the sounds of a folder by label; what has no label by its name, or several, is left out."""
    found = {label: [] for label in NAMES}
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        labels = [label for label, name in NAMES.items() if re.search(name, path.stem.lower())]
        if len(labels) != 1:
            continue
        try:
            audio = load_audio(path)
        except AudioFileError:
            continue
        if audio.abs().max() > SILENT_PEAK:
            found[labels[0]].append(aligned(audio))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="drums")
    parser.add_argument("--most", type=int, default=96, help="sounds of each label")
    given = parser.parse_args()
    torch.set_flush_denormal(True)
    model, features = load_model(given.model), LogMelStatistics()
    print("| label | sounds | against recordings | Fréchet | kernel | precision |\n|---|---:|---|---:|---:|---:|")
    for label, found in recordings(given.folder).items():
        if len(found) < 16:
            print(f"| {label} | {len(found)} | too few | | | |")
            continue
        order = torch.randperm(len(found), generator=torch.Generator().manual_seed(0))[: given.most].tolist()
        real, count = features(torch.stack([found[i] for i in order])), len(order)
        settings = [Settings(model=given.model, label=label, seed=seed) for seed in range(count)]
        made = [sound for i in range(0, count, 8) for sound in generate_together(model, settings[i : i + 8])]
        drums = torch.stack([render(label, seed).audio for seed in range(400)])
        machine = [render(label, REAL_SEED + seed).audio for seed in range(count)]
        sets = {"the model": made, "no network (baseline)": LoudnessBaseline(drums)(count, 0), "drum machine": machine}
        for name, sounds in sets.items():
            mine = features(torch.stack([aligned(sound) for sound in sounds]))
            values = frechet_distance(mine, real), kernel_distance(mine, real), precision_recall(real, mine)[0]
            print(f"| {label} | {count} | {name} | {values[0]:.0f} | {values[1]:.0f} | {values[2]:.2f} |", flush=True)
        print(f"| {label} | {count} | halves of them | {frechet_distance(real[::2], real[1::2]):.0f} | | |", flush=True)


if __name__ == "__main__":
    main()
