"""Draw the README's picture, sixteen drums that never existed: python benchmarks/gallery.py --out docs/drums.png

With --real the same picture is drawn from held-out sounds of the drum machine, to compare by eye.
"""

import argparse
from pathlib import Path

from tad_course.display import plots
from tad_course.drums.voices import LABELS, render
from tad_course.evaluation.report import REAL_SEED
from tad_course.generate import Settings, generate
from tad_course.model.checkpoint import load_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="drums")
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("docs/drums.png"))
    given = parser.parse_args()

    model = None if given.real else load_model(given.model)
    fig, axes = plots.figure(len(LABELS), given.columns, height=8.0, width=12.0, sharex=True, sharey=True)
    for row, label in zip(axes, LABELS, strict=True):
        for seed, ax in enumerate(row):
            if given.real:
                audio = render(label, REAL_SEED + seed).audio
            else:
                settings = Settings(model=given.model, label=label, seed=seed)
                audio = generate(model, settings)
            image = plots.draw_spectrogram(ax, audio)
            ax.set_title(f"{label} {seed}")
            ax.label_outer()
    plots.color_bar(fig, image, axes)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(given.out, dpi=90)
    print(given.out)


if __name__ == "__main__":
    main()
