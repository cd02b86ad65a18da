"""Write the model card of a model from its run and its figures: python benchmarks/card.py drums runs/drums

Reads the run's `run.json`, the log in `benchmarks/NAME/log.csv` and the figures that `tad-course evaluate --out` wrote
to `benchmarks/NAME/figures.json`; says nothing that was not measured there.
"""

import argparse
import csv
import json
from pathlib import Path

from tad_course.model.checkpoint import SHIPPED, load_model
from tad_course.evaluation.report import summary, table


def missed(figures: dict) -> str:
    """Say which targets the model misses."""
    names = [f"{m['measure']} {m.get('label', '')}".strip() for m in figures["measures"] if m["met"] is False]
    return f"It misses these targets: {', '.join(names)}." if names else "It misses none of the targets above."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("run", type=Path)
    parser.add_argument("--time", default="", help="how long it took, and on what")
    given = parser.parse_args()
    results = Path(__file__).parent / given.name
    settings = json.loads((given.run / "run.json").read_text(encoding="utf-8"))
    figures = json.loads((results / "figures.json").read_text(encoding="utf-8"))
    log = list(csv.DictReader((results / "log.csv").open(encoding="utf-8")))
    validation = [float(row["validation_loss"]) for row in log if row["validation_loss"]]
    model = load_model(given.name)
    size = (SHIPPED / given.name / "model.safetensors").stat().st_size / 1e6
    how = figures["settings"]
    card = f"""# {given.name}

A diffusion model of drums: 0.74 s, stereo, 44.1 kHz, by label ({", ".join(model.config.labels)}).

- **Data**: {settings["training_sounds"]} sounds of this project's own drum machine (and \
{settings["validation_sounds"]} for validation), seeds from {settings["seed"]}. No recordings.
- **Training**: `tad-course train --out {given.run.as_posix()}`: {settings["steps"]} steps of {settings["batch_size"]} \
sounds, learning rate {settings["learning_rate"]}, seed {settings["seed"]}. {given.time} Curves and log: \
`benchmarks/{given.name}/`.
- **Model**: {sum(p.numel() for p in model.parameters()) / 1e6:.1f} million parameters, {size:.1f} MB in half \
precision. All settings: `config.json`.
- **Last validation loss**: {validation[-1]:.3f}.
- **Licence**: MIT, weights and sounds. What you make with it is yours.

## Figures

{how["per_label"]} sounds a label against as many of the drum machine that the model never heard, {how["num_steps"]} \
steps of {how["sampler"]}; `tad-course evaluate --model {given.name} --count {how["per_label"]} \
--training {how["training_per_label"]} --out benchmarks/{given.name}`. "Real" is what \
other real sounds reach. {summary(figures)}

{table(figures)}

## Limits

It knows only what this drum machine plays, at one length and with one hit a sound. {missed(figures)}
"""
    (SHIPPED / given.name / "README.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
