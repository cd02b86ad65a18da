"""Our default model beside the reference preset, in one process on one machine: python benchmarks/against_reference.py

Times one stereo sound of 0.74 s at batch 1, ours at its default settings and the reference preset (31.6 M parameters,
untrained here: the time does not depend on the weights) at its default 50 steps, in turn, and prints medians and ratios
pair by pair. Then the peak resident memory of `tad-course generate` and `tad-course train`, each a process of its own.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from tad_course.checkpoint import load_model
from tad_course.generate import Settings, generate
from tad_course.model import REFERENCE, DrumModel
from tad_course.sampling import seeded_noise


def seconds(run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def peak_megabytes(*arguments: str) -> float:
    """Run `tad-course` with these arguments as a child and return the most memory that any child so far has held."""
    subprocess.run([sys.executable, "-m", "tad_course", *arguments], check=True, capture_output=True)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB on Linux
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="drums")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--reference-steps", type=int, default=50)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/against_reference.json"))
    given = parser.parse_args()
    torch.set_flush_denormal(True)

    ours, settings = load_model(given.model), Settings(model=given.model)
    reference = DrumModel(REFERENCE).eval()
    noise = seeded_noise((2, 32_768), [0])
    generate(ours, settings)  # warm up
    with torch.no_grad():
        reference.diffusion.sample(noise, num_steps=1)
    pairs = []
    for pair in range(given.pairs):
        mine = statistics.median(seconds(lambda: generate(ours, settings)) for _ in range(5))
        with torch.no_grad():
            theirs = seconds(lambda: reference.diffusion.sample(noise, num_steps=given.reference_steps))
        pairs.append((mine, theirs))
        print(f"pair {pair + 1}: ours {mine:.3f} s, reference {theirs:.1f} s, ratio {theirs / mine:.0f}")
    figures = {
        "threads": torch.get_num_threads(),
        "ours_steps": settings.num_steps,
        "reference_steps": given.reference_steps,
        "ours_s": statistics.median(p[0] for p in pairs),
        "reference_s": statistics.median(p[1] for p in pairs),
        "ratio": statistics.median(p[1] / p[0] for p in pairs),
        "parameters": sum(p.numel() for p in ours.parameters()),
        "reference_parameters": sum(p.numel() for p in reference.parameters()),
    }
    with tempfile.TemporaryDirectory() as folder:
        figures["generate_peak_mb"] = peak_megabytes("generate", "--model", given.model, "--out", folder)
        figures["train_peak_mb"] = peak_megabytes("train", "--out", f"{folder}/run", "--drums", "200", "--steps", "20")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    for name, value in figures.items():
        print(f"{name:22s} {value:.4g}" if isinstance(value, float) else f"{name:22s} {value}")


if __name__ == "__main__":
    main()
