"""Draw the curves of a training run from its log: python benchmarks/plot_training.py runs/drums --out benchmarks/drums

Writes `log.csv` (all parts of the log in one table) and `curves.png` into the folder.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from tad_course.display import plots


def read_log(run: Path) -> list[dict]:
    """Return the rows of all parts of a log in the order of their steps; a resumed part replaces what it redid."""
    rows: dict[tuple, dict] = {}
    for part in sorted((run / "log").glob("from_step_*/metrics.csv")):
        first = int(part.parent.name.removeprefix("from_step_"))
        rows = {key: row for key, row in rows.items() if key[0] < first}
        for row in csv.DictReader(part.open(encoding="utf-8")):
            rows[int(row["step"]), "loss" if row["loss"] else "validation"] = row
    return [rows[key] for key in sorted(rows)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    rows = read_log(given.run)
    given.out.mkdir(parents=True, exist_ok=True)
    names = ("step", "loss", "validation_loss", "learning_rate")
    with (given.out / "log.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

    fig, ax = plots.figure(height=3.2)
    for name, title in (("loss", "training, mean of 200 steps"), ("validation_loss", "validation, averaged weights")):
        points = np.array([(int(r["step"]), float(r[name])) for r in rows if r.get(name)])
        if name == "loss":
            width = min(20, len(points))
            points = np.stack([np.convolve(c, np.ones(width) / width, "valid") for c in points.T], axis=1)
        ax.plot(*points.T, label=title)
    ax.set(xlabel="step", ylabel="v-diffusion loss", yscale="log", title=given.run.name)
    ax.legend()
    fig.savefig(given.out / "curves.png", dpi=100)


if __name__ == "__main__":
    main()
