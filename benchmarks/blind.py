"""Made or real? A blind trial by eye: python benchmarks/blind.py make FOLDER, then score FOLDER ANSWERS

`make` draws one sheet an instrument: 40 sounds with their spectrograms and the first 0.2 s of their waves, half of them
made by the model, half by the drum machine (or, with --recordings, recorded), shuffled and numbered. The key goes into
`key.json`, which whoever guesses must not open. ANSWERS is JSON, {"kick": ["made", "real", ...], ...} with 40
answers each. Right by chance is one half; the interval is Wilson's (1927), 95 %.
"""

import argparse
import json
import math
import random
from pathlib import Path

import torch
from torch import Tensor

from tad_course.display import plots
from tad_course.drums import LABELS, render
from tad_course.drums.recorded import aligned
from tad_course.evaluation.recordings import load_recordings
from tad_course.evaluation.report import REAL_SEED
from tad_course.generate import Settings, generate_together
from tad_course.model.checkpoint import load_model

COUNT, COLUMNS = 40, 8
ANSWERS = ("made", "real")


def real_sounds(label: str, recorded: dict[str, Tensor], trial: int) -> Tensor:
    """Return 20 real sounds of a family, others in each trial."""
    if label in recorded:
        order = torch.randperm(len(recorded[label]), generator=torch.Generator().manual_seed(trial))
        return recorded[label][order[: COUNT // 2]]
    first = REAL_SEED + 500_000 + trial * COUNT
    return torch.stack([render(label, seed).audio for seed in range(first, first + COUNT // 2)])


def sheet(sounds: Tensor, file: Path) -> None:
    """Draw numbered spectrograms, each above the beginning of its wave."""
    fig, axes = plots.figure(2 * COUNT // COLUMNS, COLUMNS, height=20, width=24)
    for number, audio in enumerate(sounds):
        row, column = 2 * (number // COLUMNS), number % COLUMNS
        above, below = axes[row, column], axes[row + 1, column]
        plots.draw_spectrogram(above, audio)
        below.plot(audio.mean(0)[:8820], linewidth=0.6)
        below.set_ylim(-0.9, 0.9)
        above.set_title(str(number + 1))
        for ax in (above, below):
            ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
    fig.savefig(file, dpi=80)


def make(given: argparse.Namespace) -> None:
    torch.set_flush_denormal(True)
    model, key = load_model(given.model), {}
    recorded = load_recordings(given.recordings) if given.recordings else {}
    given.folder.mkdir(parents=True, exist_ok=True)
    for label in LABELS:
        if recorded and label not in recorded:
            continue
        first = 50_000 + given.trial * COUNT
        settings = [Settings(model=given.model, label=label, seed=first + i) for i in range(COUNT // 2)]
        made = torch.cat([generate_together(model, settings[i : i + 10]) for i in range(0, COUNT // 2, 10)])
        both = torch.cat([made, real_sounds(label, recorded, given.trial)])
        sounds = torch.stack([aligned(sound) for sound in both])
        order = list(range(COUNT))
        random.Random(f"{label} {given.trial}").shuffle(order)
        key[label] = [ANSWERS[index >= COUNT // 2] for index in order]
        sheet(sounds[order], given.folder / f"{label}.png")
    (given.folder / "key.json").write_text(json.dumps(key), encoding="utf-8")
    print(f"Sheets of {', '.join(key)} in {given.folder}")


def score(given: argparse.Namespace) -> None:
    key = json.loads((given.folder / "key.json").read_text(encoding="utf-8"))
    answers = json.loads(given.answers.read_text(encoding="utf-8"))
    for label, truth in key.items():
        guesses = answers[label]
        if len(guesses) != len(truth) or not set(guesses) <= set(ANSWERS):
            raise SystemExit(f"{given.answers}: {label} needs {len(truth)} answers, each made or real.")
        right = sum(a == b for a, b in zip(guesses, truth, strict=True))
        low, high = wilson(right, len(truth))
        print(f"{label:11} {right} of {len(truth)} right, {100 * low:.0f} to {100 * high:.0f} %")


def wilson(right: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's interval of a share."""
    share, spread = right / count, z * z / count
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return middle - half, middle + half


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("make")
    command.add_argument("folder", type=Path)
    command.add_argument("--model", default="drums")
    command.add_argument("--recordings", type=Path, help="real sounds are those of this folder")
    command.add_argument("--trial", type=int, default=0, help="each trial has other sounds")
    command.set_defaults(run=make)
    command = commands.add_parser("score")
    command.add_argument("folder", type=Path)
    command.add_argument("answers", type=Path)
    command.set_defaults(run=score)
    given = parser.parse_args()
    given.run(given)


if __name__ == "__main__":
    main()
