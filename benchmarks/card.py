"""Write the model card of a kit from its models' runs and its figures: python benchmarks/card.py drums runs

Reads `run.json` of each run in the folder, the sources of its recordings, and the figures that `tad-course evaluate`
wrote to `benchmarks/NAME/figures.json`; says nothing that was not measured there.
"""

# ruff: noqa: E501 (the card's paragraphs)

import argparse
import csv
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tad_course.evaluation.report import table
from tad_course.model.checkpoint import SHIPPED, load_model

SOURCES = {
    "FluidR3_GM": "FluidR3 GM by Frank Wen, MIT",
    "samples": "Sonic Pi's samples, from freesound.org, CC0",
    "Audiophob": "Audiophob kit by audiophobdubstep, CC0",
    "rumpf_kit_z01_h2": "rumpf kit by Emanuel Rumpf, CC-BY 3.0",
}
LIMITS = """## Limits

One length, one hit a sound. They know the drum machine best, and a few dozen recordings of each instrument. Percussion has
labels of its own (`tom`, `cowbell` …) and tones that are not pure yet; toms are taken for kicks. Snares and hi-hats lack
variety of length. One kick in fourteen is hit twice, as some of the recorded ones are."""


def line(label: str, name: str, runs: Path) -> str:
    """Return the row of one model: its run, and the one that took it further with recordings, if there is one."""
    folders = [folder for folder in (runs / name, runs / f"{name}-mixed") if folder.is_dir()]
    steps = " + ".join(f"{json.loads((each / 'run.json').read_text('utf-8'))['steps']:,}" for each in folders)
    model, size = load_model(name), (SHIPPED / name / "model.safetensors").stat().st_size / 1e6
    plays = ", ".join(model.config.labels if len(model.config.labels) > 1 else (label,))
    weights = sum(p.numel() for p in model.parameters()) / 1e6
    recorded = sum(recordings_of(runs / "data" / name).values())
    sounds = f"4,000 of the machine, {recorded} recordings" + (" in the second part" if len(folders) > 1 else "")
    return f"| `{name}` | {plays} | {weights:.1f} M | {size:.1f} MB | {sounds} | {steps} |"


def recordings_of(folder: Path) -> dict[str, int]:
    """Return how many recordings of each source `tad-course collect` wrote into a folder, without their copies."""
    with (folder / "sources.csv").open(encoding="utf-8") as rows:
        return Counter(row["source"] for row in csv.DictReader(rows) if row["copy"] == "0")


def source_lines(names: Iterable[str], runs: Path) -> str:
    """Return a line for each source of recordings, with its author and license."""
    counts = {name: recordings_of(runs / "data" / name) for name in names}
    return "\n".join(
        f"  - {title}: " + ", ".join(f"{found[source]} {name}" for name, found in counts.items() if found[source])
        for source, title in SOURCES.items()
    )


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
the network. Each is a U-Net that predicts v from noisy coefficients of a lapped transform; the way back to the waveform
is the exact inverse. A file holds the weights of its network (half precision) and nothing else.

| model | plays | weights | file | sounds for training | steps of 8 |
|---|---|---:|---:|---|---:|
{chr(10).join(line(label, name, given.runs) for label, name in names.items())}

- **Data**: this project's own drum machine, seeds from 0, and recordings with licenses that allow it. They are not in \
the repository; of each recording, `tad-course collect` made copies of other pitch, length and brightness.
{source_lines(names.values(), given.runs)}
- **Training**: for example `tad-course train --labels kick --steps 8000 --precision bf16 --out runs/kicks`; \
then `tad-course collect SOURCES --labels kick --copies 24 --out runs/data/kicks`, both kinds of sounds into one folder, and \
`tad-course train --model runs/kicks --data FOLDER --steps 3000 --learning-rate 5e-4 --precision bf16 --out \
runs/kicks-mixed`. {given.time}
- **License**: MIT, weights and sounds. What you make with it is yours.

## Figures

{how["per_label"]} sounds a label against as many of the drum machine that the models never heard, {how["num_steps"]} \
steps of {how["sampler"]}: `tad-course evaluate --model {given.name} --count {how["per_label"]} --training 8 \
--searched TRAINING --recordings FOLDER --out benchmarks/{given.name}`, where TRAINING holds all sounds that the networks \
were trained on. Beside each figure: the same seeds with the networks' output replaced by zeros; what is reached without a network (noise in the loudness of \
drums, `tad_course/evaluation/baseline.py`; to take out noise, a Wiener filter); three other sets of real sounds, their \
mean and range. The nearest training sound is searched among all {how["training_sounds"]:,} of them, recordings and \
their copies included. *Recordings* are one-shots of Debian's `hydrogen-drumkits` without the two kits that were trained on.

{table(figures)}

{LIMITS}
"""
    (SHIPPED / given.name / "README.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
