"""The time of one sound, ours against the reference preset, in pairs in one process: python benchmarks/speed.py

Batch 1, one thread, processor time, so that other work on the machine counts little. Two comparisons: each at its
default number of network evaluations (16 and 50), and both at 16. The reference has random weights; they take the same
time.
"""

import argparse
import statistics
import time

import torch

from tad_course.generate import Settings, generate
from tad_course.model.checkpoint import load_model
from tad_course.model.network import REFERENCE, AudioDiffusion

REFERENCE_STEPS = 50


def seconds(model, settings: Settings) -> float:
    """Return the processor time of one sound."""
    start = time.process_time()
    generate(model, settings)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="drums")
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    ours, reference = load_model(given.model), AudioDiffusion(REFERENCE).eval()
    mine = Settings(model=given.model, label=ours.config.labels[0])
    theirs = Settings(model="reference", label="any", sampler="ddim", num_steps=REFERENCE_STEPS)
    generate(ours, mine)  # warm up
    for title, settings in (
        (f"each at its default ({mine.num_steps} and {REFERENCE_STEPS} evaluations)", theirs),
        (f"both at {mine.num_steps} evaluations", Settings(**theirs.to_dict() | {"num_steps": mine.num_steps})),
    ):
        pairs = [(seconds(ours, mine), seconds(reference, settings)) for _ in range(given.pairs)]
        ratio = statistics.median(b / a for a, b in pairs)
        shown = ", ".join(f"{a:.2f} and {b:.1f} s" for a, b in pairs)
        print(f"{title}: the reference takes {ratio:.0f} times as long ({shown})", flush=True)


if __name__ == "__main__":
    main()
