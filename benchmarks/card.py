"""Write the model card of a kit from its models' runs and its figures: python benchmarks/card.py drums runs

Reads `run.json` and the logs of each run in the folder, and the figures that `tad-course evaluate --out` wrote to
`benchmarks/NAME/figures.json`; says nothing that was not measured there.
"""

import argparse
import csv
import json
from pathlib import Path

from tad_course.evaluation.report import table
from tad_course.model.checkpoint import SHIPPED, load_model


def validation_loss(run: Path) -> float:
    """Return the last validation loss that the logs of a run hold."""
    found = []
    for file in sorted(run.glob("log/*/metrics.csv")):
        with file.open(encoding="utf-8") as rows:
            found += [float(row["validation_loss"]) for row in csv.DictReader(rows) if row["validation_loss"]]
    return found[-1]


def line(label: str, name: str, runs: Path) -> str:
    """Return the row of one model in the card's table."""
    run = json.loads((runs / name / "run.json").read_text(encoding="utf-8"))
    size = (SHIPPED / name / "model.safetensors").stat().st_size / 1e6
    weights = sum(p.numel() for p in load_model(name).parameters()) / 1e6
    sounds = f"{run['training_sounds']} ({run['validation_sounds']})"
    steps = f"{run['steps']} of {run['batch_size']}"
    loss = validation_loss(runs / name)
    return f"| `{name}` | {label} | {weights:.1f} M | {size:.1f} MB | {sounds} | {steps} | {loss:.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("runs", type=Path)
    parser.add_argument("--time", default="", help="how long it took, and on what")
    given = parser.parse_args()
    figures = json.loads((Path(__file__).parent / given.name / "figures.json").read_text(encoding="utf-8"))
    names = json.loads((SHIPPED / given.name / "config.json").read_text(encoding="utf-8"))["models"]
    how = figures["settings"]
    card = f"""# {given.name}

Four diffusion models of drums behind one door, one for each instrument: 0.74 s, stereo, 44.1 kHz. The label chooses
the network. Each is an unconditional U-Net that predicts v from noisy coefficients of a lapped transform; the way back
to the waveform is the exact inverse. A file holds the weights of its network (half precision) and nothing else.

| model | plays | weights | file | sounds for training (validation) | steps | validation loss |
|---|---|---:|---:|---:|---:|---:|
{chr(10).join(line(label, name, given.runs) for label, name in names.items())}

- **Data**: this project's own drum machine, seeds from 0. No recordings.
- **Training**: `tad-course train --labels kick --drums 2000 --steps 6500 --out runs/kicks`, the others likewise. \
{given.time}
- **Licence**: MIT, weights and sounds. What you make with it is yours.

## Figures

{how["per_label"]} sounds a label against as many of the drum machine that the models never heard, {how["num_steps"]} \
steps of {how["sampler"]}: `tad-course evaluate --model {given.name} --count {how["per_label"]} \
--training {how["training_per_label"]} --out benchmarks/{given.name}`. Beside each figure: the same seeds with the \
networks' output replaced by zeros; the baseline, noise in the loudness of drums without a network \
(`tad_course/evaluation/baseline.py`); other real sounds. The nearest training sound is searched among \
{how["training_per_label"]} a label, which is the whole training set.

{table(figures)}

## Limits

They know only what this drum machine plays, at one length and with one hit a sound. They are interim models, trained
for 17 to 31 minutes of one processor core each. Variety is what they lack most (recall), percussion above all.
"""
    (SHIPPED / given.name / "README.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
